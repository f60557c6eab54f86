import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';

/**
 * What an operator threw, with its uid. An error that knows its place passes unchanged, so that the operator nearest to the fault is
 * the one named.
 */
export function operatorFailure(error: unknown, uid: string): MillraceError {
  if (isMillraceError(error)) return error.at(uid);
  return new MillraceError('operator/failed', `A user function threw: ${sentence(describeError(error))}`, {
    uid,
    remedy: "Mend the function, or let the job go on without such elements: onError: 'deadLetter' or 'skip'.",
    cause: error,
  });
}

/** True for what an operator further down threw and `operatorFailure` already dealt with. */
export function isPlaced(error: unknown): boolean {
  return isMillraceError(error) && error.uid !== undefined;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
