import type { Logger } from '../operators/logger.ts';

/**
 * The logger of a run: warnings, errors and changes of the job's status on standard error, and with `verbose` the rest; `quiet`: errors
 * only.
 */
export function terminalLogger({ quiet, verbose }: { readonly quiet: boolean; readonly verbose: boolean }): Logger {
  const at = (level: string, shown: boolean) => (message: string) => {
    if (shown) process.stderr.write(`${level}: ${message}\n`);
  };
  const error = at('error', true);
  return {
    debug: at('debug', verbose),
    info(message, details) {
      if (details?.['status'] !== undefined && !quiet) process.stderr.write(`${message}\n`);
      else if (verbose) process.stderr.write(`info: ${message}\n`);
    },
    warn: at('warning', !quiet),
    error(message, details) {
      // The error that the job fails with is reported when the command ends.
      if (details?.['error'] === undefined) error(message);
    },
  };
}
