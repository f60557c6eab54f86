import type { Logger } from '../src/operators/logger.ts';

/** One thing that was logged. */
export interface LogEntry {
  readonly level: keyof Logger;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

/** A logger that keeps what it is told. */
export function recordingLogger(): Logger & { readonly entries: LogEntry[]; of(level: keyof Logger): string[] } {
  const entries: LogEntry[] = [];
  const at =
    (level: keyof Logger): Logger['info'] =>
    (message, details) =>
      void entries.push({ level, message, details });
  return {
    entries,
    of: (level) => entries.filter((entry) => entry.level === level).map(({ message }) => message),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}
