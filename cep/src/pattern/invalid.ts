import { MillraceError } from '@millrace/core';
import type { CepErrorCode } from '../errorCodes.ts';

/** What a pattern can do wrong: a code without its area. */
export type PatternProblem = CepErrorCode extends `cep/${infer Problem}` ? Problem : never;

/** A pattern that cannot work, told with the step concerned. */
export function invalidPattern(problem: PatternProblem, step: string, text: string, remedy: string): MillraceError {
  const place = step === '' ? '' : `Step "${step}": `;
  const code: CepErrorCode = `cep/${problem}`;
  return new MillraceError(code, `${place}${text}`, { remedy });
}
