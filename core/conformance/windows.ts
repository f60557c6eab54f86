import { type DataStream, sum, type Timestamp, type WindowAssigner, type WindowedStream, type WindowResult } from '../src/index.ts';
import { type Harness, harness, type HarnessOptions } from '../src/testing.ts';
import { maxTimestamp, type TimeWindow } from '../src/time/window.ts';
import { multiset, type Kind, type Outcome } from './outcome.ts';
import { recorded } from './recorded.ts';
import { storedState } from './storedState.ts';
import type { Case, Config, Step } from './table.ts';
import { elementTimeOf, ms, sameTime, timeOf, writeTime } from './times.ts';
import { assignerOf, evictorOf, type KeyedValue, triggerOf } from './windowParts.ts';

interface WindowCase extends Case {
  readonly input: readonly Step[];
  readonly expect: { readonly main?: readonly Step[]; readonly side?: readonly (readonly [key: string, value: number, at: unknown])[] };
}

/** The ways of summing a window up. They differ in what the window holds: an accumulator, the latest sum, or the elements. */
type Verb = 'aggregate' | 'reduce' | 'process';

interface Outputs {
  readonly main: readonly unknown[];
  readonly late: KeyedValue;
}

type Records = (readonly unknown[])[];

/** `windowOperator`: scripted input through keyed windows, in each of the three ways of summing up. */
export const windowOperator: Kind<WindowCase> = (given) =>
  (['aggregate', 'reduce', 'process'] as const).map((verb) => new WindowRun(given, verb).run());

class WindowRun {
  private readonly given: WindowCase;
  private readonly verb: Verb;
  private readonly assigner: WindowAssigner<KeyedValue>;
  private readonly main: Records = [];
  private readonly side: Records = [];
  /** What `assertWindowContents` asked for, and found. */
  private readonly wanted: Records = [];
  private readonly held: Records = [];
  private now: Timestamp = 0;
  private current: Harness<{ events: KeyedValue }, Outputs>;

  constructor(given: WindowCase, verb: Verb) {
    const { config } = given;
    this.given = given;
    this.verb = verb;
    if ((config['agg'] ?? 'sum') !== 'sum') throw new Error(`There is no aggregate "${String(config['agg'])}".`);
    this.assigner = assignerOf(config['assigner'] as Config);
    this.current = this.start();
  }

  run(): Outcome {
    const { config, input, expect } = this.given;
    for (const step of input) {
      this.take(step);
      this.drain();
    }
    const takesLate = config['sideOutputLate'] === true || expect.side !== undefined;
    return {
      variant: this.verb,
      actual: {
        main: inRuns(this.main),
        ...(takesLate && { side: multiset(this.side) }),
        ...(this.wanted.length > 0 && { contents: this.held }),
      },
      expected: {
        main: inRuns((expect.main ?? []).map((entry) => this.expected(entry))),
        ...(takesLate && { side: multiset((expect.side ?? []).map(([key, value, at]) => [key, value, sameTime(at)])) }),
        ...(this.wanted.length > 0 && { contents: this.wanted }),
      },
    };
  }

  private take([step, ...args]: Step): void {
    switch (step) {
      case 'el': {
        const [key, value, at] = args as [string, number, unknown];
        this.current.push('events', { key, value }, elementTimeOf(at));
        return;
      }
      case 'wm':
        return void this.current.watermark(timeOf(args[0]));
      case 'wmWindowMaxOf':
        return void this.current.watermark(this.windowMaxOf(args[0]));
      case 'pt':
        return void this.current.processingTime((this.now = timeOf(args[0])));
      case 'snapshotRestore':
        this.current = this.start({ startAt: this.now, restore: this.current.snapshot() });
        return;
      case 'assertWindowContents': {
        const [key, window, contents] = args as [string, readonly [unknown, unknown], number | null];
        this.wanted.push([key, window, contents]);
        this.held.push([key, window, this.contentsOf(key, { start: timeOf(window[0]), end: timeOf(window[1]) })]);
        return;
      }
      default:
        throw new Error(`There is no step "${step}".`);
    }
  }

  private drain(): void {
    this.main.push(...this.current.drain('main'));
    for (const { value, timestamp } of this.current.drainTimed('late')) this.side.push([value.key, value.value, writeTime(timestamp)]);
  }

  private start(options: HarnessOptions = {}): Harness<{ events: KeyedValue }, Outputs> {
    return harness((inputs: { events: DataStream<KeyedValue> }) => this.pipeline(inputs.events), options);
  }

  private pipeline(events: DataStream<KeyedValue>): { main: DataStream<readonly unknown[]>; late: DataStream<KeyedValue> } {
    const { config } = this.given;
    const trigger = triggerOf(config['trigger']);
    const evictor = evictorOf(config['evictor']);
    const windowed = events
      .keyBy(({ key }) => key)
      .window(this.assigner, {
        allowedLateness: ms(config['lateness'] ?? 0),
        ...(trigger !== undefined && { trigger }),
        ...(evictor !== undefined && { evictor }),
      });
    const showsWindow = config['emitWindow'] === true;
    const record = ({ key, value, window }: WindowResult<string, number>, at: Timestamp | undefined): unknown => [
      'rec', key, value, writeTime(at), ...(showsWindow ? [writeTime(window.start), writeTime(window.end)] : []),
    ]; // prettier-ignore
    const { sums, late } = summed(windowed, this.verb);
    return { main: sums.transform<readonly unknown[]>(recorded(record)), late };
  }

  private expected([what, ...rest]: Step): readonly unknown[] {
    switch (what) {
      case 'wm':
        return ['wm', timeOf(rest[0])];
      case 'wmWindowMaxOf':
        return ['wm', this.windowMaxOf(rest[0])];
      case 'recAtWindowMaxOf':
        return ['rec', rest[0], rest[1], writeTime(this.windowMaxOf(rest[2]))];
      case 'rec':
        return ['rec', rest[0], rest[1], ...rest.slice(2).map(sameTime)];
      default:
        throw new Error(`There is no output "${what}".`);
    }
  }

  private windowMaxOf(at: unknown): Timestamp {
    return maxTimestamp(this.assigner.assign({ key: '', value: 0 }, timeOf(at), this.now)[0]!);
  }

  /** The sum that the operator holds for a key's window, as its snapshot tells; `null` for nothing. */
  private contentsOf(key: string, window: TimeWindow): number | null {
    const entries = storedState(this.current.snapshot(), 'windows').filter((entry) => entry.key === key);
    if (entries.length === 0) return null;
    const panes = entries.map(({ value }) => value).filter(isPane);
    if (panes.length === 0) return this.probe(key, window);
    const saved = panes.find((pane) => pane.window.start === window.start && pane.window.end === window.end)?.saved;
    return saved === undefined ? null : sumOf(saved.contents);
  }

  /** Shared slices hold no window as such: a copy is told that the window is over, and says what was in it. */
  private probe(key: string, window: TimeWindow): number | null {
    const copy = harness(
      (inputs: { events: DataStream<KeyedValue> }) => ({
        sums: summed(inputs.events.keyBy((event) => event.key).window(this.assigner), this.verb).sums,
      }),
      { restore: this.current.snapshot() },
    );
    const results = copy.watermark(maxTimestamp(window)).drain('sums');
    return results.find((result) => result.key === key && result.window.start === window.start)?.value ?? null;
  }
}

/** A window as the generic operator keeps it. */
interface StoredPane {
  readonly window: TimeWindow;
  readonly saved: { readonly contents: unknown } | undefined;
}

function isPane(value: unknown): value is StoredPane {
  return typeof value === 'object' && value !== null && 'window' in value && 'saved' in value;
}

function summed(
  windowed: WindowedStream<string, KeyedValue>,
  verb: Verb,
): { readonly sums: DataStream<WindowResult<string, number>>; readonly late: DataStream<KeyedValue> } {
  const uid = 'windows';
  switch (verb) {
    case 'aggregate': {
      const results = windowed.aggregate({ sum: sum(({ value }) => value) }, { uid });
      return { sums: results.map((result) => ({ ...result, value: result.value.sum })), late: results.side('late') };
    }
    case 'reduce': {
      const results = windowed.reduce((a, b) => ({ key: a.key, value: a.value + b.value }), { uid });
      return { sums: results.map((result) => ({ ...result, value: result.value.value })), late: results.side('late') };
    }
    case 'process': {
      const results = windowed.process({ uid, onWindow: (elements) => [elements.reduce((total, { value }) => total + value, 0)] });
      return { sums: results, late: results.side('late') };
    }
  }
}

/** The sum of a window's contents in whichever form it keeps them: accumulators by name, elements, or elements with their times. */
function sumOf(contents: unknown): number {
  if (Array.isArray(contents)) {
    return contents.reduce(
      (total: number, each: { readonly value: number | KeyedValue }) =>
        total + (typeof each.value === 'number' ? each.value : each.value.value),
      0,
    );
  }
  const { sum: total, reduced } = contents as { readonly sum?: number; readonly reduced?: KeyedValue };
  return total ?? reduced!.value;
}

/** Watermarks in order; the records between two of them have none among themselves. */
function inRuns(entries: Records): readonly unknown[] {
  const runs: unknown[] = [];
  let run: Records = [];
  for (const entry of entries) {
    if (entry[0] !== 'wm') run.push(entry);
    else {
      runs.push(...multiset(run), ['wm', writeTime(entry[1] as number)]);
      run = [];
    }
  }
  return [...runs, ...multiset(run)];
}
