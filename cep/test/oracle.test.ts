import type { ByteReader, ByteWriter, Codec } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader as Reader } from '../../core/src/state/byteReader.ts';
import { ByteWriter as Writer } from '../../core/src/state/byteWriter.ts';
import { compilePattern } from '../src/automaton/compilePattern.ts';
import { chooseExecutor, runsForm } from '../src/executors/chooseExecutor.ts';
import type { FoundMatch, LiveKey } from '../src/executors/executor.ts';
import type { ExecutorForm } from '../src/executors/executorForm.ts';
import type { EmitMode, PatternNode } from '../src/pattern/pattern.ts';
import { type Happening, oracle } from './oracle/oracle.ts';
import { type Features, happenings, patternsOf } from './oracle/patterns.ts';

const RUNS = process.env['MILLRACE_LONG'] === undefined ? 200 : 2_000;
const END = 1_000;

const FEATURES: Readonly<Record<string, Features>> = {
  'plain steps': {},
  'loops and options': { loops: true, optional: true },
  windows: { loops: true, optional: true, within: true },
  gaps: { loops: true, gaps: true },
  'greedy loops': { loops: true, optional: true, greedy: true, within: true },
  'reluctant loops': { loops: true, optional: true, reluctant: true },
  'loops until': { loops: true, optional: true, until: true, greedy: true, within: true },
  'what must not happen': { loops: true, optional: true, nots: true, within: true },
  absences: { loops: true, absence: true, within: true },
  groups: { loops: true, optional: true, groups: true },
  branches: { loops: true, either: true, within: true },
  'any order': { all: true, loops: true, within: true },
  'iterative conditions': { loops: true, optional: true, iterative: true, within: true, nots: true },
  'equality with earlier events': { loops: true, optional: true, equal: true, within: true, nots: true, gaps: true },
  'equality and absences': { loops: true, equal: true, absence: true, within: true },
  'equality with strategies': { loops: true, equal: true, skip: true, iterative: true, nots: true },
  strategies: { loops: true, optional: true, skip: true, within: true, nots: true },
  'strategies with iterative conditions': { loops: true, skip: true, iterative: true },
};

interface Answer {
  readonly matches: readonly string[];
  readonly timedOut: readonly string[];
}

/** Drives an executor over the events; `restores`: through its codec after every event. */
function run(
  pattern: PatternNode,
  events: readonly Happening[],
  options: { readonly restores: boolean; readonly only?: 'runs'; readonly emit?: EmitMode },
): Answer {
  const automaton = compilePattern(pattern);
  const asked = { afterMatch: pattern.afterMatch ?? { skip: 'none' as const }, emit: options.emit ?? 'all' };
  const form = (options.only === 'runs' ? runsForm(automaton, asked, '') : chooseExecutor(automaton, asked)) as ExecutorForm<LiveKey>;
  const matches: string[] = [];
  const timedOut: string[] = [];
  let at = '';
  const text = (found: FoundMatch): string => {
    const { step, event } = found.taken;
    const first = `${automaton.steps[step]!}:${(event as { readonly id: number }).id}`;
    return found.next === undefined ? first : `${first} ${text(found.next)}`;
  };
  const executor = form.create({
    tellsTimedOut: () => true,
    match: (found, time) => void matches.push(`${text(found)} @${at === '' ? `time ${time}` : at}`),
    timedOut: (found, time) => void timedOut.push(`${text(found)} @${time}`),
  });
  let live = executor.create();
  for (const [index, { event, time }] of events.entries()) {
    executor.advance(live, time, false);
    at = `event ${index}`;
    executor.accept(live, event, time);
    at = '';
    if (options.restores) live = restored(form.codec, live);
  }
  executor.advance(live, END, true);
  return { matches, timedOut };
}

/** A key's state as bytes and back. */
function restored<L>(codec: Codec<L>, live: L): L {
  const writer = new Writer() as ByteWriter;
  codec.write(live, writer);
  return codec.read(new Reader(writer.take()) as ByteReader, codec.version);
}

/** Events that tell themselves apart, so that a restored one is found. */
const numbered = happenings.map((list) => list.map(({ event, time }, id) => ({ event: { ...(event as object), id }, time })));

const sorted = (answers: readonly string[]): readonly string[] => [...new Set(answers)].toSorted();

describe.each(Object.entries(FEATURES))('%s', (_name, features) => {
  const isFlat = features.groups !== true && features.either !== true && features.all !== true;

  test.each([false, true])('are matched as the semantics say (restored after every event: %s)', (restores) => {
    fc.assert(
      fc.property(patternsOf(features), numbered, (pattern, events) => {
        const expected = oracle(pattern, events);
        for (const only of [undefined, 'runs'] as const) {
          const actual = run(pattern, events, { restores, ...(only !== undefined && { only }) });
          expect(actual.matches.toSorted()).toEqual(expected.matches.toSorted());
          if (isFlat && pattern.afterMatch === undefined) expect(sorted(actual.timedOut)).toEqual(sorted(expected.timedOut));
        }
      }),
      { numRuns: RUNS },
    );
  });
});
