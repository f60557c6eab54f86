/** Options of the evictors. */
export interface EvictorOptions {
  /** Whether elements go `before` the window function sees them, or `after` it. Default `before`. */
  readonly when?: 'before' | 'after';
}
