import { inspect } from 'node:util';
import { describeError } from '../errors/describe.ts';
import { isMillraceError } from '../errors/millraceError.ts';

/** What people read of an error: its sentence, and where it comes from if they want to know. */
export function errorReport(error: unknown, verbose: boolean): string {
  if (verbose) return `millrace: ${inspect(error)}\n`;
  const more = isMillraceError(error) ? '' : ' (--verbose shows where it comes from)';
  return `millrace: ${describeError(error)}${more}\n`;
}
