import { nameOf } from './stepName.ts';
import { invalidPattern } from './invalid.ts';
import type { AfterMatchNode, EventNode, NotNode, PatternNode, SequenceNode, StepNode, TimesNode } from './pattern.ts';
import { isNullable, namedSteps } from './steps.ts';

/** More events in any order than this would need too many states. */
export const MOST_IN_ANY_ORDER = 8;

/**
 * Refuses what cannot work, whether it was built or read from JSON, and gives the pattern back.
 *
 * @throws MillraceError `cep/…` with the step concerned and the remedy.
 */
export function validatePattern(pattern: PatternNode): PatternNode {
  const { sequence, afterMatch } = pattern;
  checkNames(sequence);
  checkSequence(sequence, sequence.within, true);
  if (afterMatch !== undefined) checkAfterMatch(sequence, afterMatch);
  return pattern;
}

/** What Flink refuses and we do not. */
export function checkFlinkCompatible(sequence: SequenceNode): void {
  for (const step of sequence.steps) {
    if (step.kind !== 'group') continue;
    if (step.times?.preference === 'greedy')
      throw invalidPattern(
        'greedy',
        nameOf(step),
        'A group is greedy, which Flink does not have.',
        "Leave out greedy(), or compat: 'flink'.",
      );
    checkFlinkCompatible(step.body);
  }
}

function checkNames(sequence: SequenceNode): void {
  const seen = new Set<string>();
  for (const { name } of namedSteps(sequence)) {
    if (name === '') throw invalidPattern('malformed', '', 'A step has an empty name.', 'Give every step a name of its own.');
    if (seen.has(name)) throw invalidPattern('duplicate-name', name, 'Two steps have this name.', 'Give every step a name of its own.');
    seen.add(name);
  }
}

/** `window`: that of the whole pattern. */
function checkSequence({ steps }: SequenceNode, window: number | undefined, isWhole: boolean): void {
  if (steps.length === 0) throw invalidPattern('malformed', '', 'A pattern has no steps.', 'Begin with pattern().begin(name).');
  if (steps[0]!.kind === 'not')
    throw invalidPattern(
      'not-step',
      nameOf(steps[0]!),
      'A pattern begins with what must not happen.',
      'Begin with a step that takes an event.',
    );
  for (const [at, step] of steps.entries()) {
    if (step.kind === 'not') checkNot(step, steps, at, { window, isWhole });
    else checkTaking(step, window);
  }
}

function checkNot(
  step: NotNode,
  steps: readonly StepNode[],
  at: number,
  { window, isWhole }: { readonly window: number | undefined; readonly isWhole: boolean },
): void {
  const before = steps[at - 1]!;
  if (before.kind !== 'not' && isNullable(before))
    throw invalidPattern(
      'not-step',
      step.name,
      `It stands right after "${nameOf(before)}", which is optional.`,
      'Put a step that is always taken between them, or write the two cases with either().',
    );
  if (step.link === 'absent') {
    if (!((step.duration ?? 0) > 0))
      throw invalidPattern('window', step.name, 'absentFor needs a time.', 'Say how long: absentFor({ minutes: 5 }).');
    return;
  }
  const isLast = at === steps.length - 1;
  if (!isLast) return;
  if (!isWhole)
    throw invalidPattern(
      'trailing-not',
      step.name,
      'A group ends with what must not happen.',
      'Put it after the group, or a step that takes an event behind it.',
    );
  if (step.link === 'followedBy' && !positive(window) && !positive(step.withinPrevious))
    throw invalidPattern(
      'trailing-not',
      step.name,
      'A pattern ends with notFollowedBy and has no window: it would never be decided.',
      'Say within(…), or absentFor(…) of the step.',
    );
}

function positive(duration: number | undefined): boolean {
  return duration !== undefined && duration > 0;
}

function checkTaking(step: Exclude<StepNode, NotNode>, window: number | undefined): void {
  const name = nameOf(step);
  if (step.times !== undefined) checkTimes(step.times, step, window);
  checkGap(step.withinPrevious, window, name);
  switch (step.kind) {
    case 'event':
      return;
    case 'group':
      return checkInner(step.body, window, step.times !== undefined && step.times.max !== 1);
    case 'either':
      if (step.branches.length < 2)
        throw invalidPattern('malformed', name, 'either() has less than two branches.', 'Give it two patterns or more.');
      for (const branch of step.branches) checkInner(branch, window, step.times !== undefined && step.times.max !== 1);
      return;
    case 'all':
      return checkAll(step.events, name);
  }
}

function checkInner(body: SequenceNode, window: number | undefined, isLoop: boolean): void {
  checkSequence(body, window, false);
  const name = nameOf(body.steps[0]!);
  if (body.within !== undefined)
    throw invalidPattern(
      'window',
      name,
      'A part of a pattern has a within of its own.',
      'Say within of the whole pattern, or withinPrevious of steps.',
    );
  if (isLoop && body.steps.every(isNullable))
    throw invalidPattern(
      'empty-loop',
      name,
      'A loop goes round a group that can be empty, and would never end.',
      'Make one of its steps necessary, and the group optional instead.',
    );
}

function checkAll(events: readonly EventNode[], name: string): void {
  if (events.length < 2) throw invalidPattern('malformed', name, 'all() has less than two events.', 'Give it two steps or more.');
  if (events.length > MOST_IN_ANY_ORDER)
    throw invalidPattern(
      'too-large',
      name,
      `all() has ${events.length} events in any order.`,
      `It takes up to ${MOST_IN_ANY_ORDER}: split it into several.`,
    );
}

function checkTimes(times: TimesNode, step: StepNode, window: number | undefined): void {
  const name = nameOf(step);
  const { min, max, inner, preference, until, within } = times;
  if (!isCount(min) || (max !== null && (!isCount(max) || max < 1 || max < min)))
    throw invalidPattern(
      'quantifier',
      name,
      `It is to be taken ${min} to ${max ?? 'any number of'} times.`,
      'Give whole numbers, the first not larger than the second, and more than 0.',
    );
  if (until !== undefined && max !== null)
    throw invalidPattern('until', name, 'until is said of a loop that ends by itself.', 'Use it with oneOrMore() or timesOrMore(n).');
  if (preference === 'greedy' && inner === 'combinations')
    throw invalidPattern(
      'greedy',
      name,
      'A loop with allowCombinations is greedy.',
      'Leave out one of them: greedy takes all, combinations leave events out.',
    );
  checkGap(within, window, name);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function checkGap(gap: number | undefined, window: number | undefined, name: string): void {
  if (gap !== undefined && gap < 0) throw invalidPattern('window', name, `Its window is ${gap} ms.`, 'Give a time that is not negative.');
  if (!positive(gap) || !positive(window) || gap! <= window!) return;
  throw invalidPattern(
    'window',
    name,
    `Its window to the event before (${gap} ms) is larger than that of the whole pattern (${window} ms).`,
    'Make it smaller, or leave it out.',
  );
}

function checkAfterMatch(sequence: SequenceNode, strategy: AfterMatchNode): void {
  if (!('step' in strategy)) return;
  const targets = [...namedSteps(sequence)].filter(({ kind }) => kind === 'event').map(({ name }) => name);
  if (targets.includes(strategy.step)) return;
  throw invalidPattern(
    'skip-target',
    strategy.step,
    'It is to be skipped to, and no step that takes events has this name.',
    `Skip to one of: ${targets.join(', ')}.`,
  );
}
