import { describe, expect, test } from 'vitest';
import { expectationsOf, runWindowCase, type Variant, type WindowCase } from './windowScript.ts';

const tumbling2s = { type: 'tumblingEventTime', size: 2000 };
const session3s = { type: 'sessionEventTime', gap: 3000 };
const global = { type: 'global' };
const purgingEventTime = { type: 'purging', of: { type: 'eventTime' } };
const everySecond = { type: 'count', n: 2 };

const el = (key: string, value: number, at: number | string | null) => ['el', key, value, at] as const;
const wm = (at: number | string) => ['wm', at] as const;
const rec = (key: string, sum: number, ...rest: (number | string)[]) => ['rec', key, sum, ...rest] as const;

/** What a window operator makes of scripted input, exactly. The words are those of the conformance tables. */
const cases: readonly WindowCase[] = [
  {
    id: 'sliding windows fire one after the other, each with what it holds',
    config: { assigner: { type: 'slidingEventTime', size: 3000, slide: 1000 }, trigger: 'default', lateness: 0, emitWindow: true },
    input: [
      el('b', 1, 3999),
      el('b', 1, 3000),
      el('a', 1, 20),
      el('a', 1, 999),
      el('b', 1, 1998),
      wm(999),
      wm(1999),
      wm(2999),
      wm(3999),
      wm(5999),
    ],
    expect: {
      main: [
        rec('a', 2, 999, -2000, 1000), wm(999),
        rec('a', 2, 1999, -1000, 2000), rec('b', 1, 1999, -1000, 2000), wm(1999),
        rec('a', 2, 2999, 0, 3000), rec('b', 1, 2999, 0, 3000), wm(2999),
        rec('b', 3, 3999, 1000, 4000), wm(3999),
        rec('b', 2, 4999, 2000, 5000), rec('b', 2, 5999, 3000, 6000), wm(5999),
      ], // prettier-ignore
    },
  },
  {
    id: 'an element behind the watermark is not late while its window is open',
    config: { assigner: tumbling2s, trigger: 'default', lateness: 0 },
    input: [el('k', 1, 1000), wm(1985), el('k', 1, 1980), wm(1999), el('k', 1, 1998), el('k', 1, 2001), wm(2999), wm(3999)],
    expect: { main: [wm(1985), rec('k', 2, 1999), wm(1999), wm(2999), rec('k', 1, 3999), wm(3999)], side: [['k', 1, 1998]] },
  },
  {
    id: 'an element that is late but allowed fires at once, with all that came before',
    config: { assigner: tumbling2s, trigger: 'default', lateness: 500 },
    input: [el('k', 1, 500), wm(1500), el('k', 1, 1300), wm(2300), el('k', 1, 1997), wm(6000), el('k', 1, 1998), wm(7000)],
    expect: { main: [wm(1500), rec('k', 2, 1999), wm(2300), rec('k', 3, 1999), wm(6000), wm(7000)], side: [['k', 1, 1998]] },
  },
  {
    id: 'after a purge a late firing holds only what came since',
    config: { assigner: tumbling2s, trigger: purgingEventTime, lateness: 500 },
    input: [el('k', 1, 500), wm(1500), el('k', 1, 1300), wm(2300), el('k', 1, 1997), wm(6000), el('k', 1, 1998), wm(7000)],
    expect: { main: [wm(1500), rec('k', 2, 1999), wm(2300), rec('k', 1, 1999), wm(6000), wm(7000)], side: [['k', 1, 1998]] },
  },
  {
    id: 'lateness is judged per window: an element goes into those that are open',
    config: { assigner: { type: 'slidingEventTime', size: 3000, slide: 1000 }, trigger: 'default', lateness: 0, emitWindow: true },
    input: [wm(1999), el('k', 1, 1500), wm(2999), wm(3999), el('k', 1, 1500)],
    expect: { main: [wm(1999), rec('k', 1, 2999, 0, 3000), wm(2999), rec('k', 1, 3999, 1000, 4000), wm(3999)], side: [['k', 1, 1500]] },
  },
  {
    id: 'the cleanup time stops at the end of time',
    config: { assigner: { type: 'tumblingEventTime', size: 1000 }, trigger: 'default', lateness: 2000 },
    input: [el('k', 1, 'MAX-1750'), wm('MAX-1500'), ['wmWindowMaxOf', 'MAX-1750']],
    expect: { main: [wm('MAX-1500'), ['recAtWindowMaxOf', 'k', 1, 'MAX-1750'], ['wmWindowMaxOf', 'MAX-1750']] },
  },
  {
    id: 'what a window holds goes with its lateness, not before',
    config: { assigner: tumbling2s, trigger: 'default', lateness: 10 },
    input: [
      el('k', 1, 1000), ['assertWindowContents', 'k', [0, 2000], 1],
      wm(1999), ['assertWindowContents', 'k', [0, 2000], 1],
      wm(2008), ['assertWindowContents', 'k', [0, 2000], 1],
      wm(2009), ['assertWindowContents', 'k', [0, 2000], null],
    ], // prettier-ignore
    expect: { main: [rec('k', 1, 1999), wm(1999), wm(2008), wm(2009)] },
  },
  {
    id: 'sessions that touch are one',
    config: { assigner: session3s, trigger: 'default', lateness: 0, emitWindow: true },
    input: [el('k', 1, 0), el('k', 2, 3000), el('k', 3, 6001), wm(20_000)],
    expect: { main: [rec('k', 3, 5999, 0, 6000), rec('k', 3, 9000, 6001, 9001), wm(20_000)] },
  },
  {
    id: 'an element between two sessions makes them one',
    config: { assigner: session3s, trigger: 'default', lateness: 0, emitWindow: true },
    input: [el('k', 1, 0), el('k', 2, 5000), el('j', 7, 1000), el('k', 4, 2500), wm(20_000)],
    expect: { main: [rec('k', 7, 7999, 0, 8000), rec('j', 7, 3999, 1000, 4000), wm(20_000)] },
  },
  {
    id: 'a purged session still merges with what comes, and holds only that',
    config: { assigner: session3s, trigger: purgingEventTime, lateness: 10_000, emitWindow: true },
    input: [el('k', 1, 1000), el('k', 1, 2000), el('k', 1, 4500), wm(8599), el('k', 1, 8600), wm(10_000), el('k', 1, 7400), wm(12_000)],
    expect: { main: [rec('k', 3, 7499, 1000, 7500), wm(8599), wm(10_000), rec('k', 2, 11_599, 1000, 11_600), wm(12_000)] },
  },
  {
    id: 'a session that has fired and is extended past the watermark fires again, whole',
    config: { assigner: session3s, trigger: 'default', lateness: 10_000, emitWindow: true },
    input: [el('k', 1, 1000), wm(5000), el('k', 1, 3500), wm(7000), el('k', 1, 2000), wm(20_000), el('k', 1, 2000)],
    expect: {
      main: [rec('k', 1, 3999, 1000, 4000), wm(5000), rec('k', 2, 6499, 1000, 6500), wm(7000), rec('k', 3, 6499, 1000, 6500), wm(20_000)],
      side: [['k', 1, 2000]],
    },
  },
  {
    id: 'a late element that a session in time takes in is not late',
    config: { assigner: session3s, trigger: 'default', lateness: 0, emitWindow: true },
    input: [el('k', 1, 5000), wm(6000), el('k', 1, 2500), el('k', 1, 500), wm(9000)],
    expect: { main: [wm(6000), rec('k', 3, 7999, 500, 8000), wm(9000)] },
  },
  {
    id: 'a session in which only late elements meet stays late',
    config: { assigner: session3s, trigger: 'default', lateness: 0, emitWindow: true },
    input: [el('k', 1, 9000), wm(10_000), el('k', 1, 500), el('k', 1, 3000)],
    expect: { main: [wm(10_000)], side: [['k', 1, 500], ['k', 1, 3000]] }, // prettier-ignore
  },
  {
    id: 'a window of no length is taken in by a session that covers it',
    config: { assigner: { ...session3s, pointWhenValue: 33 }, trigger: 'default', lateness: 0, emitWindow: true },
    input: [el('k', 1, 0), el('k', 33, 1000), el('k', 33, 2500), wm(12_000)],
    expect: { main: [rec('k', 67, 2999, 0, 3000), wm(12_000)] },
  },
  {
    id: 'gaps that depend on the element',
    config: {
      assigner: { type: 'sessionEventTime', dynamicGap: { a: { default: 3000 }, b: { 10: 1000, default: 2000 } } },
      trigger: 'default',
      lateness: 0,
      emitWindow: true,
    },
    input: [el('a', 1, 0), el('a', 1, 2999), el('b', 10, 0), el('b', 1, 1001), el('b', 1, 2500), wm(20_000)],
    expect: { main: [rec('a', 2, 5998, 0, 5999), rec('b', 10, 999, 0, 1000), rec('b', 2, 4499, 1001, 4500), wm(20_000)] },
  },
  {
    id: 'counts of windows that merge add up, and fire with the next element',
    config: { assigner: session3s, trigger: { type: 'purging', of: { type: 'count', n: 4 } }, lateness: 0, emitWindow: true },
    input: [el('k', 1, 0), el('k', 1, 500), el('k', 1, 5000), el('k', 1, 6000), el('k', 1, 2500), wm(30_000)],
    expect: { main: [rec('k', 5, 8999, 0, 9000), wm(30_000)] },
  },
  {
    id: 'a count of elements in the one window for everything',
    config: { assigner: global, trigger: { type: 'purging', of: { type: 'count', n: 4 } }, lateness: 0 },
    input: [el('b', 1, 3999), el('b', 2, 3000), el('b', 3, null), el('a', 1, 20), el('b', 4, -5), el('b', 5, 1), el('a', 1, 0)],
    expect: { main: [rec('b', 10, 'MAX')] },
  },
  {
    id: 'the one window for everything fires at the end of time',
    config: { assigner: { ...global, endOfStream: true }, trigger: 'default', lateness: 0 },
    input: [el('a', 1, 5), wm(100), el('a', 2, 6), wm('MAX')],
    expect: { main: [wm(100), rec('a', 3, 'MAX'), wm('MAX')] },
  },
  {
    id: 'early results at every tick of event time, and at the end',
    config: { assigner: { type: 'tumblingEventTime', size: 4000 }, trigger: { type: 'continuousEventTime', interval: 3000 }, lateness: 0 },
    input: [el('k', 1, 100), wm(2999), el('k', 1, 2000), wm(3000), el('k', 1, 3500), wm(3999), wm(5000)],
    expect: { main: [wm(2999), rec('k', 2, 3999), wm(3000), rec('k', 3, 3999), wm(3999), wm(5000)] },
  },
  {
    id: 'a window that no timer fires any more fires with each late element',
    config: {
      assigner: { type: 'tumblingEventTime', size: 4000 },
      trigger: { type: 'continuousEventTime', interval: 3000 },
      lateness: 10_000,
    },
    input: [wm(5000), el('k', 1, 100), el('k', 1, 200)],
    expect: { main: [wm(5000), rec('k', 1, 3999), rec('k', 2, 3999)] },
  },
  {
    id: 'tumbling windows of processing time',
    config: { assigner: { type: 'tumblingProcessingTime', size: 3000 }, trigger: 'default', lateness: 0 },
    input: [['pt', 3], el('k', 1, 'MAX'), el('k', 1, 7000), ['pt', 3000], el('k', 1, null), ['pt', 7000]],
    expect: { main: [rec('k', 2, 2999), rec('k', 1, 5999)] },
  },
  {
    id: 'sliding windows of processing time',
    config: { assigner: { type: 'slidingProcessingTime', size: 3000, slide: 1000 }, trigger: 'default', lateness: 0 },
    input: [['pt', 3], el('k', 1, null), ['pt', 1000], el('k', 1, null), ['pt', 2500], el('k', 1, null), ['pt', 3000], ['pt', 9000]],
    expect: { main: [rec('k', 1, 999), rec('k', 2, 1999), rec('k', 3, 2999), rec('k', 2, 3999), rec('k', 1, 4999)] },
  },
  {
    id: 'sessions of processing time',
    config: { assigner: { type: 'sessionProcessingTime', gap: 3000 }, trigger: 'default', lateness: 0 },
    input: [['pt', 3], el('b', 1, 1), ['pt', 1000], el('b', 1, 1002), ['pt', 5000], el('b', 1, 5000), el('a', 2, 5000), ['pt', 10_000]],
    expect: { main: [rec('b', 2, 3999), rec('b', 1, 7999), rec('a', 2, 7999)] },
  },
  {
    id: 'the last four elements, taken before the function sees them',
    config: { assigner: global, trigger: everySecond, evictor: { type: 'count', n: 4, after: false }, lateness: 0 },
    input: [el('k', 1, 0), el('k', 2, 0), el('k', 4, 0), el('k', 8, 0), el('k', 16, 0), el('k', 32, 0)],
    expect: { main: [rec('k', 3, 'MAX'), rec('k', 15, 'MAX'), rec('k', 60, 'MAX')] },
  },
  {
    id: 'the last four elements, taken after the function has seen them',
    config: { assigner: global, trigger: everySecond, evictor: { type: 'count', n: 4, after: true }, lateness: 0 },
    input: [el('k', 1, 0), el('k', 2, 0), el('k', 4, 0), el('k', 8, 0), el('k', 16, 0), el('k', 32, 0), el('k', 64, 0), el('k', 128, 0)],
    expect: { main: [rec('k', 3, 'MAX'), rec('k', 15, 'MAX'), rec('k', 63, 'MAX'), rec('k', 252, 'MAX')] },
  },
  {
    id: 'elements exactly as old as the evictor allows go',
    config: { assigner: global, trigger: { type: 'count', n: 3 }, evictor: { type: 'time', size: 2000, after: false }, lateness: 0 },
    input: [el('k', 1, 1000), el('k', 2, 1001), el('k', 4, 3000)],
    expect: { main: [rec('k', 6, 'MAX')] },
  },
  {
    id: 'elements without a time are not evicted by it',
    config: { assigner: global, trigger: everySecond, evictor: { type: 'time', size: 2000, after: true }, lateness: 0 },
    input: [el('k', 1, null), el('k', 1, null), el('k', 1, null), el('k', 1, null)],
    expect: { main: [rec('k', 2, 'MAX'), rec('k', 4, 'MAX')] },
  },
  {
    id: 'elements as far from the newest as the threshold go',
    config: {
      assigner: global,
      trigger: everySecond,
      evictor: { type: 'delta', threshold: 2, delta: 'new-old', after: false },
      lateness: 0,
    },
    input: [el('k', 1, 0), el('k', 3, 0), el('k', 2, 0), el('k', 5, 0), el('k', 10, 0), el('k', 12, 0)],
    expect: { main: [rec('k', 3, 'MAX'), rec('k', 5, 'MAX'), rec('k', 12, 'MAX')] },
  },
  {
    id: 'an evictor in windows of time',
    config: { assigner: tumbling2s, trigger: 'default', evictor: { type: 'count', n: 2, after: false }, lateness: 5000 },
    input: [el('k', 1, 0), el('k', 2, 1), el('k', 4, 2), wm(1999), el('k', 8, 3), wm(9000)],
    expect: { main: [rec('k', 6, 1999), wm(1999), rec('k', 12, 1999), wm(9000)] },
  },
];

const variants: readonly Variant[] = [
  { by: 'aggregate' },
  { by: 'aggregate', run: { generateCode: false } },
  { by: 'reduce' },
  { by: 'process' },
];

describe.each(cases)('$id', (windowCase) => {
  // Only an aggregate's state is read by `assertWindowContents`.
  const fit = windowCase.input.some(([step]) => step === 'assertWindowContents') ? variants.slice(0, 2) : variants;
  test.each(fit)('by $by', (variant) => {
    expect(runWindowCase(windowCase, variant)).toEqual(expectationsOf(windowCase));
  });

  test('after a restore at any step', () => {
    for (let step = 1; step <= windowCase.input.length; step++) {
      const input = windowCase.input.toSpliced(step, 0, ['snapshotRestore']);
      for (const variant of fit)
        expect(runWindowCase({ ...windowCase, input }, variant), `step ${step}`).toEqual(expectationsOf(windowCase));
    }
  });
});
