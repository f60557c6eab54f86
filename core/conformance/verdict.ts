import { KINDS, reasonToSkip } from './kinds.ts';
import { isAsExpected, type Kind, text } from './outcome.ts';
import type { Case } from './table.ts';

/** What became of a case. */
export interface Verdict {
  readonly id: string;
  readonly kind: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  /** One line: expected and actual of a case that failed, the reason for one that was skipped. */
  readonly detail: string;
}

/** Runs a case. Whatever it throws is a failure of the case. */
export async function judge(given: Case): Promise<Verdict> {
  const { id, kind } = given;
  const reason = reasonToSkip(given);
  if (reason !== undefined) return { id, kind, result: 'skipped', detail: reason };
  try {
    const outcomes = [await (KINDS[kind] as Kind<Case>)(given)].flat();
    const wrong = outcomes.find((outcome) => !isAsExpected(outcome));
    if (wrong === undefined) return { id, kind, result: 'passed', detail: '' };
    const { variant, expected, actual } = wrong;
    const place = variant === undefined ? '' : `(${variant}) `;
    return { id, kind, result: 'failed', detail: `${place}expected ${text(expected)}, actual ${text(actual)}` };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { id, kind, result: 'failed', detail: `expected ${text(given.expect)}, actual: it threw ${problem.replaceAll(/\s+/g, ' ')}` };
  }
}

/** How many cases passed, failed and were skipped. */
export function summary(verdicts: readonly Verdict[]): string {
  const count = (result: Verdict['result']): number => verdicts.filter((verdict) => verdict.result === result).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
}
