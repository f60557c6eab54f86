import type { Condition } from './condition.ts';
import type { EventNode, NotNode, SequenceNode, StepNode } from './pattern.ts';

/** The steps of a sequence that have a name, those of groups included, in the order in which they are written. */
export function* namedSteps(sequence: SequenceNode): Iterable<EventNode | NotNode> {
  for (const step of sequence.steps) yield* namedWithin(step);
}

function* namedWithin(step: StepNode): Iterable<EventNode | NotNode> {
  switch (step.kind) {
    case 'event':
    case 'not':
      yield step;
      return;
    case 'group':
      return yield* namedSteps(step.body);
    case 'either':
      for (const branch of step.branches) yield* namedSteps(branch);
      return;
    case 'all':
      yield* step.events;
  }
}

/** All conditions of a sequence: of steps, and those that end loops. */
export function* conditionsOf(sequence: SequenceNode): Iterable<Condition> {
  for (const { where } of namedSteps(sequence)) if (where !== undefined) yield where;
  yield* endsOf(sequence.steps);
}

function* endsOf(steps: readonly StepNode[]): Iterable<Condition> {
  for (const step of steps) {
    if (step.kind === 'not') continue;
    if (step.times?.until !== undefined) yield step.times.until;
    if (step.kind === 'group') yield* endsOf(step.body.steps);
    if (step.kind === 'either') for (const branch of step.branches) yield* endsOf(branch.steps);
    if (step.kind === 'all') yield* endsOf(step.events);
  }
}

/** Whether a step can be passed without taking an event. */
export function isNullable(step: StepNode): boolean {
  if (step.kind === 'not') return true;
  if (step.optional === true || step.times?.min === 0) return true;
  switch (step.kind) {
    case 'event':
    case 'all':
      return false;
    case 'group':
      return step.body.steps.every(isNullable);
    case 'either':
      return step.branches.some((branch) => branch.steps.every(isNullable));
  }
}
