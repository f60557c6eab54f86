/** Standard output as Node has it: a stream, which can be behind with what the console gave it. */
interface OutputStream {
  readonly writable: boolean;
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  on(event: 'drain' | 'error' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'error' | 'close', listener: () => void): unknown;
  write(text: string, callback: (error?: Error | null) => void): boolean;
}

/**
 * Prints a text as the console does, line by line whatever is in it. Where the console writes to a stream that is behind, the promise is
 * fulfilled when that has caught up.
 */
export function printText(text: string): void | Promise<void> {
  console.log(text);
  const stream = outputStream();
  if (stream?.writable === true && stream.writableNeedDrain) return caughtUp(stream);
}

/** Waits until all that was printed has left the process. */
export async function flushPrinted(): Promise<void> {
  const stream = outputStream();
  if (stream?.writable !== true || stream.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    const off = whenGone(stream, resolve);
    stream.write('', (error) => {
      // The stream still has to emit its error.
      if (error) return;
      off();
      resolve();
    });
  });
}

function caughtUp(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => {
    const off = whenGone(stream, resolve);
    const onDrain = (): void => {
      off();
      stream.off('drain', onDrain);
      resolve();
    };
    stream.on('drain', onDrain);
  });
}

/** A reader that has gone (`| head`) takes nothing any more: that is no error of the job. */
function whenGone(stream: OutputStream, callback: () => void): () => void {
  const gone = (): void => {
    off();
    callback();
  };
  const off = (): void => {
    stream.off('error', gone);
    stream.off('close', gone);
  };
  stream.on('error', gone);
  stream.on('close', gone);
  return off;
}

function outputStream(): OutputStream | undefined {
  return (globalThis as { readonly process?: { readonly stdout?: OutputStream } }).process?.stdout;
}
