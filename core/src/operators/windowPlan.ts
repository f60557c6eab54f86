import { MillraceError } from '../errors/millraceError.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { WindowAssigner } from '../time/assigner.ts';
import type { Evictor } from '../time/evictor.ts';
import { canMerge, type Trigger } from '../time/trigger.ts';
import { eventTimeTrigger } from '../time/triggers/eventTime.ts';
import type { Emits } from './emits.ts';
import type { OperatorDefinition } from './operator.ts';
import { slicingWindowOperator } from './slicingWindow.ts';
import type { WindowAggregate } from './windowAggregate.ts';
import { AggregatedContents, BufferedContents, EvictedContents, foldAll } from './windowContents.ts';
import { windowOperator } from './windowOperator.ts';
import { processElements } from './windowProcess.ts';

/** Which elements are in a window together, and when it says what it holds. */
export interface WindowSpec {
  readonly assigner: WindowAssigner<never>;
  readonly trigger: Trigger<never>;
  readonly evictor: Evictor<never> | undefined;
  /** How long after its end an event-time window still takes elements, in ms. */
  readonly lateness: number;
  /** False for `windowAll`. */
  readonly keyed: boolean;
}

/** A function over all elements of a window, and what it declares. */
export interface WindowProcess {
  readonly onWindow: (elements: readonly never[], context: never) => Emits;
  readonly state: StateShape | undefined;
  readonly outputs: readonly string[];
}

/** The operator that a window gets, and its kind for `explain`. */
export interface PlannedWindow {
  readonly operator: OperatorDefinition;
  readonly kind: 'slicing' | 'generic';
}

/**
 * The operator for aggregates over windows. Aligned event-time windows that fire once, at their end, share slices; all else gets the
 * generic operator. The results are the same where aggregates do not depend on the order of elements: slices merge in the order
 * of time, not of arrival.
 */
export function chooseWindowOperator(spec: WindowSpec, aggregate: WindowAggregate): PlannedWindow {
  const { assigner, evictor, keyed } = spec;
  if (canSlice(spec)) {
    const { name, alignment } = assigner;
    return { kind: 'slicing', operator: slicingWindowOperator({ name, alignment: alignment!, aggregate, keyed }) };
  }
  const common = { ...genericOf(spec), late: ['late'], bare: false, keyed };
  if (evictor === undefined)
    return { kind: 'generic', operator: windowOperator({ ...common, contents: () => new AggregatedContents(aggregate) }) };
  return {
    kind: 'generic',
    operator: windowOperator({ ...common, contents: () => new EvictedContents(evictor as Evictor<unknown>, foldAll(aggregate)) }),
  };
}

/** The operator for a function over all elements of a window. */
export function processWindowOperator(spec: WindowSpec, { onWindow, state, outputs }: WindowProcess): PlannedWindow {
  const { evictor, keyed } = spec;
  const common = { ...genericOf(spec), late: ['late'], bare: false, keyed, state, outputs };
  const operator =
    evictor === undefined
      ? windowOperator({ ...common, contents: (context) => new BufferedContents(processElements(context, onWindow)) })
      : windowOperator({
          ...common,
          contents: (context) => new EvictedContents(evictor as Evictor<unknown>, processElements(context, onWindow)),
        });
  return { kind: 'generic', operator };
}

/**
 * What the generic operator takes of a spec.
 *
 * @throws MillraceError `trigger/no-merge`
 */
export function genericOf(spec: WindowSpec): Pick<WindowSpec, 'assigner' | 'trigger' | 'lateness'> {
  const { assigner, trigger, lateness } = spec;
  if (!assigner.merging || canMerge(trigger)) return { assigner, trigger, lateness };
  throw new MillraceError(
    'trigger/no-merge',
    `Windows of "${assigner.name}" merge, which the trigger "${trigger.definition.name}" cannot.`,
    {
      remedy: 'Use a trigger that has onMerge, and mergeStates if it keeps a state, or windows that do not merge.',
    },
  );
}

/** Whether a window works on timestamps, or its trigger does. */
export function needsEventTime({ assigner, trigger }: Pick<WindowSpec, 'assigner' | 'trigger'>): boolean {
  return assigner.domain === 'eventTime' || trigger.definition.domain === 'eventTime';
}

function canSlice({ assigner, trigger, evictor, lateness }: WindowSpec): boolean {
  return (
    assigner.alignment !== undefined &&
    assigner.domain === 'eventTime' &&
    trigger === eventTimeTrigger() &&
    evictor === undefined &&
    lateness === 0
  );
}
