import {
  type DataStream,
  type Duration,
  type Evictor,
  type Operator,
  type OperatorContext,
  type Trigger,
  type WindowAssigner,
  type WindowResult,
  continuousEventTime,
  countEvictor,
  countTrigger,
  deltaEvictor,
  eventTimeTrigger,
  globalWindow,
  purging,
  session,
  sliding,
  sum,
  timeEvictor,
  tumbling,
} from '../../src/index.ts';
import { type Harness, harness, type HarnessOptions } from '../../src/testing.ts';
import { maxTimestamp } from '../../src/time/window.ts';
import { storedState } from './steps.ts';

/** What the scripts of window operators push. */
export interface Keyed {
  readonly key: string;
  readonly value: number;
}

/** A time: in ms, `'MAX'`, or some ms before it. */
export type Time = number | string;

/** A scripted case: see the conformance tables, whose words these are. */
export interface WindowCase {
  readonly id: string;
  readonly config: {
    readonly assigner: Readonly<Record<string, unknown>>;
    readonly trigger: unknown;
    readonly evictor?: Readonly<Record<string, unknown>>;
    readonly lateness: number;
    readonly emitWindow?: boolean;
  };
  readonly input: readonly (readonly unknown[])[];
  readonly expect: { readonly main: readonly (readonly unknown[])[]; readonly side?: readonly unknown[] };
}

const ms = (milliseconds: unknown): Duration => ({ milliseconds: milliseconds as number });

export function timeOf(time: unknown): number | undefined {
  if (time === null) return undefined;
  if (typeof time === 'number') return time;
  return Number.MAX_SAFE_INTEGER - Number(/^MAX(?:-(\d+))?$/.exec(time as string)![1] ?? 0);
}

function assignerOf(config: WindowCase['config']['assigner']): WindowAssigner<Keyed> {
  const { type, size, slide, gap, endOfStream, pointWhenValue, dynamicGap } = config;
  const domain = (type as string).endsWith('ProcessingTime') ? 'processingTime' : 'eventTime';
  switch ((type as string).replace(/(Event|Processing)Time$/, '')) {
    case 'tumbling':
      return tumbling(ms(size), { domain });
    case 'sliding':
      return sliding(ms(size), { every: ms(slide), domain });
    case 'global':
      return globalWindow({ fireAtEnd: endOfStream === true });
    case 'session': {
      if (dynamicGap !== undefined) {
        const gaps = dynamicGap as Readonly<Record<string, Readonly<Record<string, number>>>>;
        return session(({ key, value }: Keyed) => ms(gaps[key]![String(value)] ?? gaps[key]!['default']));
      }
      const sessions = session(ms(gap), { domain });
      if (pointWhenValue === undefined) return sessions;
      const assign: WindowAssigner<Keyed>['assign'] = (value, at, now) =>
        value.value === pointWhenValue ? [{ start: at, end: at }] : sessions.assign(value, at, now);
      return { ...sessions, assign };
    }
    default:
      throw new Error(`no assigner ${String(type)}`);
  }
}

function triggerOf(config: unknown): Trigger<Keyed> | undefined {
  if (config === 'default' || config === undefined) return undefined;
  const { type, of, n, interval } = config as Readonly<Record<string, unknown>>;
  if (type === 'purging') return purging(triggerOf(of)!);
  if (type === 'count') return countTrigger(n as number);
  if (type === 'continuousEventTime') return continuousEventTime(ms(interval));
  if (type === 'eventTime') return eventTimeTrigger();
  throw new Error(`no trigger ${String(type)}`);
}

function evictorOf(config: WindowCase['config']['evictor']): Evictor<Keyed> | undefined {
  if (config === undefined) return undefined;
  const when = { when: config['after'] === true ? 'after' : 'before' } as const;
  if (config['type'] === 'count') return countEvictor(config['n'] as number, when);
  if (config['type'] === 'time') return timeEvictor(ms(config['size']), when);
  return deltaEvictor({ threshold: config['threshold'] as number, delta: (from: Keyed, to) => to.value - from.value, ...when });
}

/** Passes elements and watermarks on as entries of one list. */
const entriesOf = (emitWindow: boolean) => ({
  create: (context: OperatorContext): Operator => ({
    inputs: [
      ({ key, value, window }: WindowResult<string, { readonly sum: number }>) =>
        context.emit(['rec', key, value.sum, context.timestamp, ...(emitWindow ? [window.start, window.end] : [])], context.time),
    ],
    onWatermark: (watermark) => context.emit(['wm', watermark], watermark),
  }),
});

/** How a case runs: what the window makes of its elements, and the harness's options. */
export interface Variant extends HarnessOptions {
  readonly by: 'aggregate' | 'reduce' | 'process';
}

/** Runs a case; gives what came out, runs of records between watermarks sorted, and what was late. */
export function runWindowCase(
  { config, input }: WindowCase,
  { by, ...options }: Variant,
): { readonly main: unknown[]; readonly side: unknown[] } {
  const assigner = assignerOf(config.assigner);
  const trigger = triggerOf(config.trigger);
  const evictor = evictorOf(config.evictor);
  const pipeline = (i: { events: DataStream<Keyed> }) => {
    const windowed = i.events
      .keyBy(({ key }) => key)
      .window(assigner, {
        allowedLateness: ms(config.lateness),
        ...(trigger !== undefined && { trigger }),
        ...(evictor !== undefined && { evictor }),
      });
    const sums = sumsBy(by, windowed);
    return { main: sums.transform<unknown[]>(entriesOf(config.emitWindow === true)), late: sums.side('late') };
  };
  let h: Harness<{ events: Keyed }, { main: unknown[]; late: Keyed }> = harness(pipeline, options);
  const main: unknown[] = [];
  const side: unknown[] = [];
  let now = options.startAt ?? 0;
  for (const [step, ...args] of input) {
    if (step === 'el') h.push('events', { key: args[0] as string, value: args[1] as number }, timeOf(args[2]));
    else if (step === 'wm') h.watermark(timeOf(args[0])!);
    else if (step === 'wmWindowMaxOf') h.watermark(windowMaxOf(assigner, args[0]));
    else if (step === 'pt') h.processingTime((now = args[0] as number));
    else if (step === 'snapshotRestore') h = harness(pipeline, { ...options, startAt: now, restore: h.snapshot() });
    else if (step === 'assertWindowContents') {
      const [key, window, wanted] = args as [string, readonly [number, number], number | null];
      const held = windowContents(storedState(h.snapshot(), 'windows').keyed, key, window);
      if (held !== wanted) throw new Error(`the window holds ${held}, not ${wanted}`);
    } else throw new Error(`no step ${String(step)}`);
    main.push(...h.drain('main'));
    side.push(...h.drainTimed('late').map(({ value: { key, value }, timestamp }) => [key, value, timestamp]));
  }
  return { main: sortRuns(main), side: side.map((each) => JSON.stringify(each)).sort() };
}

/** The case's expectations in the form of {@link runWindowCase}. */
export function expectationsOf({ config, expect }: WindowCase): { readonly main: unknown[]; readonly side: unknown[] } {
  const assigner = assignerOf(config.assigner);
  const main = expect.main.map(([what, ...rest]) => {
    if (what === 'wm') return ['wm', timeOf(rest[0])];
    if (what === 'wmWindowMaxOf') return ['wm', windowMaxOf(assigner, rest[0])];
    if (what === 'recAtWindowMaxOf') return ['rec', rest[0], rest[1], windowMaxOf(assigner, rest[2])];
    return ['rec', rest[0], rest[1], ...rest.slice(2).map(timeOf)];
  });
  return { main: sortRuns(main), side: (expect.side ?? []).map((each) => JSON.stringify(each)).sort() };
}

function windowMaxOf(assigner: WindowAssigner<Keyed>, time: unknown): number {
  return maxTimestamp(assigner.assign({ key: '', value: 0 }, timeOf(time)!, 0)[0]!);
}

/** Records between two watermarks have no order among themselves. */
function sortRuns(entries: readonly unknown[]): unknown[] {
  const sorted: unknown[] = [];
  let run: string[] = [];
  for (const entry of entries as unknown[][]) {
    if (entry[0] !== 'wm') {
      run.push(JSON.stringify(entry));
      continue;
    }
    sorted.push(...run.sort(), JSON.stringify(entry));
    run = [];
  }
  return [...sorted, ...run.sort()];
}

function sumsBy(by: Variant['by'], windowed: ReturnType<ReturnType<DataStream<Keyed>['keyBy']>['window']>) {
  if (by === 'aggregate') return windowed.aggregate({ sum: sum(({ value }) => value) }, { uid: 'windows' });
  if (by === 'reduce') {
    const reduced = windowed.reduce((a, b) => ({ key: a.key, value: a.value + b.value }), { uid: 'windows' });
    return withSums(reduced);
  }
  return windowed.process({ uid: 'windows', onWindow: (elements) => [{ sum: elements.reduce((total, { value }) => total + value, 0) }] });
}

/** The results of a reduce in the form of the others, with its late output beside them. */
function withSums(reduced: ReturnType<ReturnType<ReturnType<DataStream<Keyed>['keyBy']>['window']>['reduce']>) {
  const mapped = reduced.map((result) => ({ ...result, value: { sum: result.value.value } }));
  return Object.assign(mapped, { side: reduced.side.bind(reduced) });
}

/** The sum that a snapshot of either operator holds for a key's window; `null` where it holds nothing. */
export function windowContents(
  entries: readonly { readonly state: string; readonly key: unknown; readonly userKey?: unknown; readonly value: unknown }[],
  key: string,
  [start, end]: readonly [number, number],
): number | null {
  let held: number | null = null;
  for (const { state, key: of, userKey, value } of entries) {
    if (of !== key) continue;
    if (state === '(windows)') {
      const { window, saved } = value as { window: { start: number; end: number }; saved: { contents: { sum: number } } | undefined };
      if (window.start === start && window.end === end && saved !== undefined) held = (held ?? 0) + saved.contents.sum;
    } else if (state === '(slices)' && (userKey as number) >= start && (userKey as number) < end) {
      held = (held ?? 0) + (value as { accumulators: { sum: number } }).accumulators.sum;
    }
  }
  return held;
}
