import { EXIT, type ExitCode } from './exitCode.ts';

/** Something from outside that ends a run before its job does. */
export interface Interruption {
  readonly exitCode: ExitCode;
  /** Such as `SIGINT`; `undefined` for what is done without a word. */
  readonly signal: string | undefined;
}

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

/**
 * Watches for signals and for a reader of standard output that has gone. `onInterruption` is told of each, with its number from 1.
 * The result ends the watch for signals. That for the reader stays: without a listener, what is written later would end the process.
 */
export function watchInterruptions(onInterruption: (interruption: Interruption, nth: number) => void): () => void {
  let count = 0;
  const tell = (interruption: Interruption): void => onInterruption(interruption, ++count);
  const listeners = Object.entries(SIGNALS).map(([signal, exitCode]) => [signal, () => tell({ exitCode, signal })] as const);
  let pipeClosed = false;
  const onPipeError = (error: NodeJS.ErrnoException): void => {
    // Each write that comes after it says so again.
    if (error.code === 'EPIPE' && !pipeClosed) tell({ exitCode: EXIT.pipeClosed, signal: undefined });
    pipeClosed = true;
  };
  for (const [signal, listener] of listeners) process.on(signal, listener);
  process.stdout.on('error', onPipeError);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}
