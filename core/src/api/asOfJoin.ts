import type { OperatorOptions } from '../graph/builder.ts';
import { asOfJoinOperator } from '../operators/asOfJoin.ts';
import { type Duration, formatDuration, toNonNegativeMilliseconds } from '../time/duration.ts';
import type { NodeSpec } from './origin.ts';

/** How an element meets the version of its key that was valid at its time. */
export interface AsOfJoinDefinition<in L, in V, out R> extends OperatorOptions {
  /**
   * How long, in event time, elements wait for versions beyond what the watermark waits: the join's clock runs this far behind
   * the watermark, for both sides and for what comes after it. Default: not at all.
   */
  readonly wait?: Duration;
  /** The result for an element; `version` is `undefined` where the key had none yet. */
  readonly select: (left: L, version: V | undefined) => R;
}

/**
 * The node of a temporal join.
 *
 * @throws MillraceError `duration/invalid`
 */
export function asOfJoinNode<L, V, R>(definition: AsOfJoinDefinition<L, V, R>): NodeSpec {
  const { wait = {}, select } = definition;
  const behind = toNonNegativeMilliseconds(wait, 'wait');
  return {
    kind: 'joinAsOf',
    operator: asOfJoinOperator({ wait: behind, select }),
    options: definition,
    traits: { needsEventTime: true, stateful: true },
    details: behind === 0 ? {} : { wait: formatDuration(behind) },
  };
}
