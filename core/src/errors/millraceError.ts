import type { ErrorCode } from './codes.ts';

/** What an error tells besides its sentence: where it happened and what to do about it. */
export interface ErrorDetails {
  /** The uid of the operator, source or sink concerned. */
  readonly uid?: string | undefined;
  /** What the user can do, as an imperative sentence. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/**
 * The one error type of the suite. `code` is stable and documented in the guide (one entry per code);
 * the sentence is for people and may change.
 *
 * @example
 * try {
 *   new StreamEnvironment().plan();
 * } catch (error) {
 *   if (error instanceof MillraceError) console.log(error.code, error.remedy); // graph/empty Begin with env.from(…).
 * }
 */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly uid: string | undefined;
  readonly remedy: string;
  /** The sentence without code, place and remedy. */
  readonly problem: string;

  constructor(code: ErrorCode, problem: string, details: ErrorDetails) {
    const place = details.uid === undefined ? '' : ` uid "${details.uid}":`;
    super(`[${code}]${place} ${problem} ${details.remedy}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.uid = details.uid;
    this.remedy = details.remedy;
    this.problem = problem;
  }

  /**
   * The same error with its place, if it has none yet: whoever knows the uid adds it on the way up.
   *
   * @internal
   */
  at(uid: string): MillraceError {
    return this.uid === undefined
      ? new MillraceError(this.code, this.problem, { uid, remedy: this.remedy, cause: this.cause ?? this })
      : this;
  }
}

/** True for an error of this suite, also one from another copy of the package. */
export function isMillraceError(error: unknown): error is MillraceError {
  return error instanceof Error && error.name === 'MillraceError' && 'code' in error;
}
