/** The content of one file, front to back. */
export interface ByteInput {
  /**
   * Reads into `target` from index `at` on, up to its end, what stands at `offset` of the content; resolves to the number of bytes, 0 at
   * the end. Offsets only grow from call to call.
   */
  read(target: Buffer, at: number, offset: number): Promise<number>;
  /** How many bytes of the file itself were read for it since the last call of this. */
  taken(): number;
  /** How far the file itself was read, in bytes; `undefined` where a file cannot be continued, being packed. */
  reached(): number | undefined;
  close(): Promise<void>;
}
