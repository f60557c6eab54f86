import { isMillraceError } from '../../src/errors/millraceError.ts';

/** The code of the error that `run` throws: tests match codes, never sentences. */
export function errorCode(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isMillraceError(error)) return error.code;
    throw error;
  }
  return 'nothing thrown';
}
