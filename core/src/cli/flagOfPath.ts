import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import { flagOf } from './flag.ts';

/** The same error; of a source that was not found where a flag of the job says, with that flag in its remedy. */
export function namingFlag(error: unknown, config: unknown): unknown {
  if (!isMillraceError(error) || error.code !== 'source/not-found' || typeof config !== 'object' || config === null) return error;
  const { code, uid, problem, remedy, cause } = error;
  const found = Object.entries(config).find(([, value]) => typeof value === 'string' && value !== '' && problem.includes(value));
  if (found === undefined || remedy.includes('--')) return error;
  const { flag } = flagOf({ name: found[0], type: 'string', array: false, required: false });
  return new MillraceError(code, problem, { uid, remedy: `Give another: --${flag} PATH. ${remedy}`, cause });
}
