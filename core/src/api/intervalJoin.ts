import { MillraceError } from '../errors/millraceError.ts';
import type { OperatorOptions } from '../graph/builder.ts';
import { intervalJoinOperator } from '../operators/intervalJoin.ts';
import { type Duration, formatDuration, toMilliseconds } from '../time/duration.ts';
import type { NodeSpec } from './origin.ts';

/** Which elements of two keyed streams meet, and what becomes of a pair. */
export interface IntervalJoinDefinition<in L, in RI, out R> extends OperatorOptions {
  /**
   * How much later than the left element the right one may be, from and to. Amounts may be negative:
   * `[{ minutes: -5 }, { minutes: 5 }]` is five minutes to either side.
   */
  readonly between: readonly [lower: Duration, upper: Duration];
  /** Whether the bounds themselves count. Default: both do. */
  readonly lowerInclusive?: boolean;
  readonly upperInclusive?: boolean;
  /** The result of a pair. Its time is the later of the two. */
  readonly select: (left: L, right: RI) => R;
}

/**
 * The node of an interval join.
 *
 * @throws MillraceError `duration/invalid`; `graph/option` where no distance lies within the bounds.
 */
export function intervalJoinNode<L, RI, R>(definition: IntervalJoinDefinition<L, RI, R>): NodeSpec {
  const { between, lowerInclusive = true, upperInclusive = true, select } = definition;
  const from = toMilliseconds(between[0], 'the lower bound of between');
  const to = toMilliseconds(between[1], 'the upper bound of between');
  // Times are whole milliseconds, so that an exclusive bound is an inclusive one beside it.
  const lower = lowerInclusive ? from : from + 1;
  const upper = upperInclusive ? to : to - 1;
  const interval = `${lowerInclusive ? '[' : '('}${formatDuration(from)}, ${formatDuration(to)}${upperInclusive ? ']' : ')'}`;
  if (lower > upper) {
    throw new MillraceError('graph/option', `between: no distance lies in ${interval}.`, {
      uid: definition.uid,
      remedy: 'Give the lower bound first: between: [{ minutes: -5 }, { minutes: 5 }].',
    });
  }
  return {
    kind: 'intervalJoin',
    operator: intervalJoinOperator({ lower, upper, select }),
    options: definition,
    traits: { needsEventTime: true },
    details: { between: interval },
  };
}
