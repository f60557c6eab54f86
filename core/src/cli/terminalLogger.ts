import type { Logger } from '../operators/logger.ts';

/** The logger of a run: warnings and errors on standard error, and with `verbose` the rest; `quiet`: errors only. */
export function terminalLogger({ quiet, verbose }: { readonly quiet: boolean; readonly verbose: boolean }): Logger {
  const at = (level: string, shown: boolean) => (message: string) => {
    if (shown) process.stderr.write(`${level}: ${message}\n`);
  };
  const error = at('error', true);
  return {
    debug: at('debug', verbose),
    info: at('info', verbose),
    warn: at('warning', !quiet),
    error(message, details) {
      // The error that the job fails with is reported when the command ends.
      if (details?.['error'] === undefined) error(message);
    },
  };
}
