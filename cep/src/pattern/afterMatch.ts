import type { AfterMatch } from './language.ts';
import type { AfterMatchNode } from './pattern.ts';

/** A strategy after a match, as the tree holds it. */
export function afterMatchNode(strategy: AfterMatch<string>): AfterMatchNode {
  if (strategy === 'noSkip') return { skip: 'none' };
  if (typeof strategy === 'string') return { skip: strategy };
  const { throwOnMiss } = strategy;
  const miss = throwOnMiss === undefined ? {} : { throwOnMiss };
  return 'toFirst' in strategy ? { skip: 'toFirst', step: strategy.toFirst, ...miss } : { skip: 'toLast', step: strategy.toLast, ...miss };
}
