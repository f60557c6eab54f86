/** Standard output as Node has it: a stream, which can be behind with what the console gave it. */
interface OutputStream {
  readonly writable: boolean;
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  on(event: 'drain' | 'error' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'error' | 'close', listener: () => void): unknown;
  write(text: string, callback: () => void): boolean;
}

/**
 * Prints a text as the console does, in one go. Where the console writes to a stream that is behind, the promise is fulfilled when that
 * has caught up. When the stream's reader has gone (`| head`), the rest is dropped without a word, as Unix tools do.
 */
export function printText(text: string): void | Promise<void> {
  const stream = outputStream();
  console.log(text);
  if (stream?.writable === true && stream.writableNeedDrain) return settled(stream, (done) => stream.on('drain', done));
}

/** Waits until all that was printed has left the process. */
export async function flushPrinted(): Promise<void> {
  const stream = outputStream();
  if (stream?.writable === true && stream.writableLength > 0) await settled(stream, (done) => stream.write('', done));
}

/** Waits for something about a stream, or for the end of the stream. */
function settled(stream: OutputStream, wait: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('error', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('error', done);
    stream.on('close', done);
    wait(done);
  });
}

const guarded = new WeakSet<OutputStream>();

function outputStream(): OutputStream | undefined {
  const stream = (globalThis as { readonly process?: { readonly stdout?: OutputStream } }).process?.stdout;
  if (stream === undefined || guarded.has(stream)) return stream;
  guarded.add(stream);
  // Without a listener the error of a closed pipe would end the process.
  stream.on('error', () => undefined);
  return stream;
}
