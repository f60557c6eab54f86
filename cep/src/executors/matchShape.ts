import type { Matched } from '../pattern/matched.ts';
import type { FoundMatch } from './executor.ts';

const NONE: readonly unknown[] = Object.freeze([]);
/** An empty match for the steps that were asked for last: copying it is the fastest way to an object of this form. */
let template: Matched = {};
let templateOf: readonly string[] | undefined;

/** The match as its user sees it: events by step name; a step that took none has an empty array. */
export function matchOf(steps: readonly string[], found: FoundMatch): Matched {
  if (steps !== templateOf) {
    template = Object.fromEntries(steps.map((name) => [name, NONE]));
    templateOf = steps;
  }
  const match: Record<string, readonly unknown[]> = { ...template };
  for (let at: FoundMatch | undefined = found; at !== undefined; at = at.next) {
    const name = steps[at.taken.step]!;
    const events = match[name]!;
    if (events === NONE) match[name] = [at.taken.event];
    else (events as unknown[]).push(at.taken.event);
  }
  return match;
}

/** A partial match: only the steps that took something. */
export function partialOf(steps: readonly string[], found: FoundMatch): Matched {
  const match: Record<string, unknown[]> = {};
  for (let at: FoundMatch | undefined = found; at !== undefined; at = at.next) (match[steps[at.taken.step]!] ??= []).push(at.taken.event);
  return match;
}
