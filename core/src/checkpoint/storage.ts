/** A place that checkpoints are kept in. Names are paths with `/`, of letters, digits, `-`, `_` and `.`. */
export interface CheckpointStorage {
  /** For people: where it is. */
  readonly location: string;
  /**
   * Writes a new object. It is there whole or not at all, and stays after a crash, when the promise is fulfilled. From then on the memory of the
   * parts is used for something else.
   */
  write(name: string, parts: readonly Uint8Array[]): Promise<void>;
  /** Reads an object; `undefined` when there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Names that begin with a prefix, in order. */
  list(prefix: string): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
  /**
   * Writes an object only if it does not exist (`expected` undefined) or is still what was read (`expected` is its token): the one
   * conditional write that a lease needs. Returns the new token, or `undefined` when somebody else was first.
   */
  writeIf(name: string, content: Uint8Array, expected: string | undefined): Promise<string | undefined>;
  /** Reads an object with its token. */
  readToken(name: string): Promise<{ readonly content: Uint8Array; readonly token: string } | undefined>;
}
