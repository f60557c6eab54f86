import type { WindowAssigner } from './assigner.ts';
import { atEnd } from './triggers/atEnd.ts';
import { never } from './triggers/never.ts';
import { GLOBAL_WINDOW } from './window.ts';

/** Options of {@link globalWindow}. */
export interface GlobalWindowOptions {
  /** Emit the result when the input ends. Default false: nothing is emitted unless the window is given a trigger. */
  readonly fireAtEnd?: boolean;
}

/**
 * One window for everything. Give it a trigger, or `fireAtEnd` for one result at the end of a bounded input.
 *
 * @example
 * globalWindow({ fireAtEnd: true });
 */
export function globalWindow(options: GlobalWindowOptions = {}): WindowAssigner<unknown> {
  const windows = [GLOBAL_WINDOW];
  return {
    name: options.fireAtEnd === true ? 'global at end' : 'global',
    domain: 'none',
    merging: false,
    trigger: options.fireAtEnd === true ? atEnd() : never(),
    assign: () => windows,
  };
}
