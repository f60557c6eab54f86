import type { StepNode } from './pattern.ts';

/** What a step is called in errors: a group by its first step. */
export function nameOf(step: StepNode): string {
  if ('name' in step) return step.name;
  const first = step.kind === 'group' ? step.body.steps[0] : step.kind === 'all' ? step.events[0] : step.branches[0]?.steps[0];
  return first === undefined ? '' : nameOf(first);
}
