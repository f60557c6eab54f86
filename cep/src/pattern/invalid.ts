import { MillraceError } from '@millrace/core';

/** What a pattern can do wrong. */
export type PatternProblem =
  | 'duplicate-name'
  | 'quantifier'
  | 'optional'
  | 'until'
  | 'greedy'
  | 'condition'
  | 'not-step'
  | 'trailing-not'
  | 'skip-target'
  | 'empty-loop'
  | 'window'
  | 'malformed'
  | 'too-large';

/** A pattern that cannot work, told with the step concerned. */
export function invalidPattern(problem: PatternProblem, step: string, text: string, remedy: string): MillraceError {
  const place = step === '' ? '' : `Step "${step}": `;
  return new MillraceError(`cep/${problem}`, `${place}${text}`, { remedy });
}
