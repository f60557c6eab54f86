import type { Condition } from '../pattern/condition.ts';
import type { PatternNode } from '../pattern/pattern.ts';
import { conditionsOf } from '../pattern/steps.ts';

/** Whether all conditions of a pattern are data: no function stands in it. */
export function isData({ sequence }: PatternNode): boolean {
  return [...conditionsOf(sequence)].every(isDataCondition);
}

function isDataCondition(condition: Condition): boolean {
  if ('and' in condition) return condition.and.every(isDataCondition);
  if ('or' in condition) return condition.or.every(isDataCondition);
  if ('equal' in condition) return typeof condition.equal.of === 'string' && typeof condition.equal.to === 'string';
  return 'expression' in condition;
}
