import type { Timestamp, WindowAssigner } from '../src/index.ts';
import { mergeWindows } from '../src/time/mergingWindows.ts';
import { MergingWindowSet } from '../src/time/mergingWindowSet.ts';
import { type TimeWindow, windowStart } from '../src/time/window.ts';
import { type Kind, multiset } from './outcome.ts';
import type { Case, Config, Step } from './table.ts';
import { sameTime, timeOf, writeTime } from './times.ts';
import { assignerOf, type KeyedValue } from './windowParts.ts';

type WrittenWindow = readonly [start: unknown, end: unknown];

function windowOf([start, end]: WrittenWindow): TimeWindow {
  return { start: timeOf(start), end: timeOf(end) };
}

function write({ start, end }: TimeWindow): WrittenWindow {
  return [writeTime(start), writeTime(end)];
}

function sameWindow([start, end]: WrittenWindow): WrittenWindow {
  return [sameTime(start), sameTime(end)];
}

/** `assign`: the windows of each time; with `offsetList`, of each offset. */
export const assign: Kind<Case & { readonly expect: readonly (readonly WrittenWindow[])[] }> = ({ config, input, expect }) => ({
  expected: expect.map((windows) => multiset(windows.map(sameWindow))),
  actual: placements(config, input).map(({ assigner, at }) => multiset(assigner.assign({ key: '', value: 0 }, at, at).map(write))),
});

function placements({ offsetList, ...config }: Config, input: unknown): readonly { assigner: WindowAssigner<KeyedValue>; at: Timestamp }[] {
  const times = (Array.isArray(input) ? (input as unknown[]) : [input ?? config['timestamp']]).map(timeOf);
  if (offsetList === undefined) {
    const assigner = assignerOf(config);
    return times.map((at) => ({ assigner, at }));
  }
  return (offsetList as readonly unknown[]).map((offset, i) => {
    // One time for all offsets, or one for each.
    const at = times.length === 1 ? times[0]! : times[i]!;
    return { assigner: assignerOf({ ...config, offset }), at };
  });
}

/** `windowStart`: time, offset and size. */
export const start: Kind<
  Case & { readonly input: readonly (readonly [unknown, number, number])[]; readonly expect: readonly unknown[] }
> = ({ input, expect }) => ({
  expected: expect.map(sameTime),
  actual: input.map(([at, offset, size]) => writeTime(windowStart(timeOf(at), size, offset))),
});

/** `invalidConfig`: assigners that must not come into being. */
export const invalidConfig: Kind<Case & { readonly input: readonly Config[]; readonly expect: { readonly throwsEach: boolean } }> = ({
  input,
  expect,
}) => ({
  expected: input.map(() => (expect.throwsEach ? 'window/invalid' : 'valid')),
  actual: input.map((config) => {
    try {
      assignerOf(config);
      return 'valid';
    } catch (error) {
      return (error as { readonly code?: string }).code ?? String(error);
    }
  }),
});

interface Merged {
  readonly result: WrittenWindow;
  readonly sources: readonly WrittenWindow[];
}

/** `mergeWindows`: which windows become one. */
export const merge: Kind<Case & { readonly input: readonly WrittenWindow[]; readonly expect: readonly Merged[] }> = ({
  input,
  expect,
}) => ({
  expected: multiset(expect.map(({ result, sources }) => ({ result: sameWindow(result), sources: multiset(sources.map(sameWindow)) }))),
  actual: multiset(
    mergeWindows(input.map(windowOf)).map(({ result, sources }) => ({ result: write(result), sources: multiset(sources.map(write)) })),
  ),
});

/** `mergingWindowSet`: windows added and retired one by one. Of each step, what the table names is compared. */
export const mergingWindowSet: Kind<Case & { readonly input: readonly Step[]; readonly expect: readonly (Config | null)[] }> = ({
  input,
  expect,
}) => {
  const set = new MergingWindowSet();
  const actual = input.map(([step, ...args], i) => {
    const window = windowOf(args as unknown as WrittenWindow);
    const wanted = Object.keys(expect[i] ?? {});
    if (step === 'add') return only(wanted, added(set, window));
    if (step !== 'retire') throw new Error(`There is no step "${step}".`);
    const isRetired = set.retire(window);
    return only(wanted, {
      gone: isRetired && set.stateWindow(window) === undefined ? write(window) : null,
      stillState: stateOf(set, (expect[i] as { readonly stillState?: { readonly window: WrittenWindow } } | null)?.stillState?.window),
    });
  });
  return { expected: expect, actual };
};

function added(set: MergingWindowSet, added: TimeWindow): Config {
  const { window, merged, stateWindow, sources, stateSources } = set.add(added);
  return { window: write(window), merged, state: write(stateWindow), sources: sources.map(write), stateSources: stateSources.map(write) };
}

function stateOf(set: MergingWindowSet, window: WrittenWindow | undefined): unknown {
  if (window === undefined) return null;
  const state = set.stateWindow(windowOf(window));
  return { window, state: state === undefined ? null : write(state) };
}

/** `null` where nothing is wanted. */
function only(names: readonly string[], from: Config): Config | null {
  return names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, from[name]]));
}
