import type { ErrorCode } from './codes.ts';
import { isMillraceError, MillraceError } from './millraceError.ts';

/** An error as plain data, to be sent to where it is handled. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly cause?: PlainError | undefined;
  /** Of a {@link MillraceError}. */
  readonly own?: { readonly code: ErrorCode; readonly problem: string; readonly uid: string | undefined; readonly remedy: string };
}

/** Whatever was thrown, as plain data. */
export function toPlainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack, cause } = error;
  const plain = { name, message, stack, cause: cause === undefined ? undefined : toPlainError(cause) };
  if (!isMillraceError(error)) return plain;
  const { code, problem, uid, remedy } = error;
  return { ...plain, own: { code, problem, uid, remedy } };
}

/** The error that plain data stands for. */
export function fromPlainError({ name, message, stack, cause, own }: PlainError): Error {
  const options = cause === undefined ? undefined : { cause: fromPlainError(cause) };
  const error = own === undefined ? new Error(message, options) : new MillraceError(own.code, own.problem, { ...own, ...options });
  if (own === undefined) Object.defineProperty(error, 'name', { value: name, configurable: true });
  if (stack !== undefined) error.stack = stack;
  return error;
}
