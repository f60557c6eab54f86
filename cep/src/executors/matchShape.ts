import type { Matched } from '../pattern/matched.ts';
import type { FoundMatch } from './executor.ts';

/** Makes the match as its user sees it: events by step name; a step that took none has an empty array. */
export type MatchShape = (found: FoundMatch) => Matched;

const NONE: readonly unknown[] = Object.freeze([]);

/** Shapes by the names of their steps: patterns with the same ones, such as versions of a rule, share code that is compiled already. */
const known = new Map<string, MatchShape>();
/** Beyond so many, all are forgotten: rules come and go. */
const MOST_KNOWN = 1_000;

/** The shape of a pattern's matches. */
export function matchShape(steps: readonly string[]): MatchShape {
  const key = JSON.stringify(steps);
  const shape = known.get(key) ?? makeShape(steps);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, shape);
  return shape;
}

/** As generated code where that is allowed. */
function makeShape(steps: readonly string[]): MatchShape {
  try {
    return generatedShape(steps);
  } catch {
    return assignedShape(steps);
  }
}

/** Matches by an object literal that is written for these steps. */
export function generatedShape(steps: readonly string[]): MatchShape {
  const lines = (line: (step: number) => string): string => steps.map((_, step) => line(step)).join('\n');
  const text = `return (found) => {
    ${lines((step) => `let events${step} = none;`)}
    for (let at = found; at !== undefined; at = at.next) {
      const { event } = at.taken;
      switch (at.taken.step) {
        ${lines((step) => `case ${step}: if (events${step} === none) events${step} = [event]; else events${step}.push(event); break;`)}
      }
    }
    return { ${steps.map((name, step) => `${fieldName(name)}: events${step}`).join(', ')} };
  };`;
  // oxlint-disable-next-line typescript/no-implied-eval -- names of steps are in it as JSON strings only
  return (new Function('none', text) as (none: readonly unknown[]) => MatchShape)(NONE);
}

/** The same without generated code. */
export function assignedShape(steps: readonly string[]): MatchShape {
  return (found) => {
    const events: unknown[][] = steps.map(() => NONE as unknown[]);
    for (let at: FoundMatch | undefined = found; at !== undefined; at = at.next) {
      const { step, event } = at.taken;
      if (events[step] === NONE) events[step] = [event];
      else events[step]!.push(event);
    }
    return Object.fromEntries(steps.map((name, step) => [name, events[step]!]));
  };
}

/** Written plainly, `__proto__` would set the prototype. */
function fieldName(name: string): string {
  return name === '__proto__' ? `[${JSON.stringify(name)}]` : JSON.stringify(name);
}

/** A partial match: only the steps that took something. */
export function partialOf(steps: readonly string[], found: FoundMatch): Matched {
  const match: Record<string, unknown[]> = {};
  for (let at: FoundMatch | undefined = found; at !== undefined; at = at.next) (match[steps[at.taken.step]!] ??= []).push(at.taken.event);
  return match;
}
