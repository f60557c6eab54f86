import type { Matched } from '../pattern/matched.ts';
import type { FoundMatch } from './executor.ts';

/** The match as its user sees it: events by step name; a step that took none has an empty array. */
export function matchOf(steps: readonly string[], { events, steps: takenBy }: FoundMatch): Matched {
  const match: Record<string, unknown[]> = {};
  for (const name of steps) match[name] = [];
  for (let i = 0; i < events.length; i++) match[steps[takenBy[i]!]!]!.push(events[i]);
  return match;
}

/** A partial match: only the steps that took something. */
export function partialOf(steps: readonly string[], { events, steps: takenBy }: FoundMatch): Matched {
  const match: Record<string, unknown[]> = {};
  for (let i = 0; i < events.length; i++) (match[steps[takenBy[i]!]!] ??= []).push(events[i]);
  return match;
}
