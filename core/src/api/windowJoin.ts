import type { OperatorOptions } from '../graph/builder.ts';
import type { Emits } from '../operators/emits.ts';
import type { OperatorContext } from '../operators/operatorContext.ts';
import { groupSides, joinSides, SidedContents, type WindowSides } from '../operators/windowCoGroup.ts';
import type { WindowFunction } from '../operators/windowContents.ts';
import { windowOperator } from '../operators/windowOperator.ts';
import { genericOf, needsEventTime } from '../operators/windowPlan.ts';
import type { WindowContext } from '../operators/windowProcess.ts';
import type { WindowAssigner } from '../time/assigner.ts';
import type { NodeSpec } from './origin.ts';
import { windowDetails, type WindowOptions, windowSpec } from './windowedStream.ts';

/** The windows in which two streams meet. */
export interface MeetingWindow<in L, in RI> extends OperatorOptions, Omit<WindowOptions<L | RI>, 'evictor'> {
  readonly window: WindowAssigner<L | RI>;
}

/** Which elements of two keyed streams meet in a window, and what becomes of a pair. */
export interface WindowJoinDefinition<in L, in RI, out R> extends MeetingWindow<L, RI> {
  /** The result of a pair: every left with every right element of its key and window. Its time is the window's last ms. */
  readonly select: (left: L, right: RI) => R;
}

/** Which elements of two keyed streams meet in a window, and what becomes of them. */
export interface CoGroupDefinition<K, in L, in RI, out R extends Emits> extends MeetingWindow<L, RI> {
  /** The results for a key and window that holds an element of either side: the other one may be empty. Their time is the window's last ms. */
  readonly select: (lefts: readonly L[], rights: readonly RI[], context: WindowContext<K, {}, {}>) => R;
}

/**
 * The node of a join in windows.
 *
 * @throws MillraceError `trigger/no-merge`; `duration/invalid`
 */
export function windowJoinNode<L, RI, R>(definition: WindowJoinDefinition<L, RI, R>): NodeSpec {
  return meetingNode('window join', definition, () => joinSides(definition.select as never));
}

/**
 * The node of a coGroup in windows.
 *
 * @throws MillraceError `trigger/no-merge`; `duration/invalid`
 */
export function coGroupNode<K, L, RI, R extends Emits>(definition: CoGroupDefinition<K, L, RI, R>): NodeSpec {
  return meetingNode('coGroup', definition, (context) => groupSides(context, definition.select as never));
}

function meetingNode<L, RI>(
  kind: string,
  definition: MeetingWindow<L, RI>,
  fn: (context: OperatorContext) => WindowFunction<WindowSides>,
): NodeSpec {
  const spec = windowSpec(definition.window, definition, true);
  return {
    kind,
    operator: windowOperator({
      ...genericOf(spec),
      contents: (context) => new SidedContents(fn(context)),
      late: ['lateLeft', 'lateRight'],
      keyed: true,
      bare: true,
    }),
    options: definition,
    traits: { stateful: true, ...(needsEventTime(spec) && { needsEventTime: true }) },
    details: windowDetails(spec),
  };
}
