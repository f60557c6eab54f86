import { MillraceError } from '@millrace/core';
import { isNullable } from '../src/pattern/steps.ts';
import type { Outcome } from './outcome.ts';
import { patternOf } from './patterns.ts';
import type { TablePattern } from './table.ts';

/** What construction must refuse. */
export function runValidationCase({ pattern }: { readonly pattern: TablePattern }): Outcome {
  try {
    void patternOf(pattern).node;
  } catch (error) {
    return { expected: 'refused', actual: error instanceof MillraceError ? 'refused' : (error as Error).message };
  }
  return { expected: 'refused', actual: 'accepted' };
}

/** Whether a pattern could match without any event. */
export function runEmptyMatchCase({
  pattern,
  canProduceEmptyMatches,
}: {
  readonly pattern: TablePattern;
  readonly canProduceEmptyMatches: boolean;
}): Outcome {
  return { expected: canProduceEmptyMatches, actual: patternOf(pattern).node.sequence.steps.every(isNullable) };
}
