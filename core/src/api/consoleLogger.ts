import type { Logger } from '../operators/logger.ts';

/** Warnings and errors on the console's standard error; nothing else, so that a job's own output can be piped. */
export const consoleLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => console.warn(message),
  error: (message) => console.error(message),
};
