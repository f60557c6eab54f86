import { type DataStream, type KeyedStream, type Timestamp, valueState } from '../src/index.ts';
import { type Harness, harness, type HarnessOptions } from '../src/testing.ts';
import type { Kind } from './outcome.ts';
import { recorded } from './recorded.ts';
import type { Case, Step } from './table.ts';
import { elementTimeOf, sameTime, timeOf, writeTime } from './times.ts';

interface KeyedNumber {
  readonly key: number;
  readonly value: number;
}

type Result = string | number;
type Program = (elements: KeyedStream<number, KeyedNumber>) => DataStream<Result>;

/** The programs that tables name, by their names. */
const PROGRAMS: Readonly<Record<string, Program>> = {
  'emit `${v}TIME:${currentWatermark} TS:${timestamp}`': (elements) =>
    elements.process({
      onElement: ({ value }, { watermark, timestamp = null }) => [`${value}TIME:${writeTime(watermark)} TS:${timestamp}`],
    }),

  'emit v; registerEventTimeTimer(currentWatermark+5); onTimer: emit 1777': (elements) =>
    elements.process({
      timers: { timer: 'eventTime' },
      onElement({ value }, { timers, watermark }) {
        timers.set('timer', watermark + 5);
        return [value];
      },
      onTimer: () => [1777],
    }),

  'emit v; registerProcessingTimeTimer(now+5); onTimer: emit 1777': (elements) =>
    elements.process({
      timers: { timer: 'processingTime' },
      onElement({ value }, { timers, now }) {
        timers.set('timer', now() + 5);
        return [value];
      },
      onTimer: () => [1777],
    }),

  "if state empty: emit 'INPUT:'+v; state=v; registerEventTimeTimer(currentWatermark+5) else: clear state; deleteEventTimeTimer(currentWatermark+4); onTimer: emit 'STATE:'+state":
    (elements) =>
      elements.process({
        state: { seen: valueState<number>() },
        timers: { timer: 'eventTime' },
        onElement({ value }, { state, timers, watermark }) {
          if (state.seen.value() === undefined) {
            state.seen.update(value);
            timers.set('timer', watermark + 5);
            return [`INPUT:${value}`];
          }
          state.seen.clear();
          timers.cancel('timer', watermark + 4);
          return [];
        },
        onTimer: (_timer, { state }) => [`STATE:${state.seen.value()}`],
      }),

  'registerProcessingTimeTimer(3); registerEventTimeTimer(4); registerProcessingTimeTimer(5); registerEventTimeTimer(6); deleteProcessingTimeTimer(3); deleteEventTimeTimer(4); onTimer: emit domain:1777':
    (elements) =>
      elements.process({
        timers: { event: 'eventTime', processing: 'processingTime' },
        onElement(_element, { timers }) {
          timers.set('processing', 3);
          timers.set('event', 4);
          timers.set('processing', 5);
          timers.set('event', 6);
          timers.cancel('processing', 3);
          timers.cancel('event', 4);
        },
        onTimer: ({ name }) => [`${name}:1777`],
      }),

  'registerProcessingTimeTimer(5); onTimer: emit domain:1777': (elements) =>
    elements.process({
      timers: { processing: 'processingTime' },
      onElement: (_element, { timers }) => timers.set('processing', 5),
      onTimer: ({ name }) => [`${name}:1777`],
    }),
};

interface ProcessCase extends Case {
  readonly input: readonly Step[];
  readonly expect: readonly Step[];
}

/** `keyedProcess`: a process function with state and timers; output and watermarks in their exact order. */
export const keyedProcess: Kind<ProcessCase> = ({ config, input, expect }) => {
  const program = PROGRAMS[String(config['program'])];
  if (program === undefined) throw new Error(`There is no program "${String(config['program'])}".`);
  const run = new ProcessRun(program);
  for (const step of input) run.take(step);
  return { actual: run.output, expected: expect.map(expected) };
};

class ProcessRun {
  readonly output: unknown[] = [];
  private readonly program: Program;
  private now: Timestamp = 0;
  private current: Harness<{ elements: KeyedNumber }, { output: readonly unknown[] }>;

  constructor(program: Program) {
    this.program = program;
    this.current = this.start();
  }

  take([step, ...args]: Step): void {
    switch (step) {
      case 'el': {
        const [key, value, at] = args as [number, number, unknown];
        this.current.push('elements', { key, value }, elementTimeOf(at));
        break;
      }
      case 'wm':
        this.current.watermark(timeOf(args[0]));
        break;
      case 'pt':
        this.current.processingTime((this.now = timeOf(args[0])));
        break;
      case 'snapshotRestore':
        this.restore();
        break;
      case 'restoreAtProcessingTime':
        this.now = timeOf(args[0]);
        this.restore();
        break;
      default:
        throw new Error(`There is no step "${step}".`);
    }
    this.drain();
  }

  private restore(): void {
    this.current = this.start({ startAt: this.now, restore: this.current.snapshot() });
  }

  private start(options: HarnessOptions = {}): Harness<{ elements: KeyedNumber }, { output: readonly unknown[] }> {
    const record = (result: Result, at: Timestamp | undefined): unknown => ['rec', result, writeTime(at)];
    return harness(
      (inputs: { elements: DataStream<KeyedNumber> }) => ({
        output: this.program(inputs.elements.keyBy(({ key }) => key)).transform<readonly unknown[]>(recorded(record)),
      }),
      options,
    );
  }

  private drain(): void {
    for (const [what, ...rest] of this.current.drain('output'))
      this.output.push(what === 'wm' ? ['wm', writeTime(rest[0] as number)] : [what, ...rest]);
  }
}

function expected([what, ...rest]: Step): readonly unknown[] {
  if (what === 'wm') return ['wm', sameTime(rest[0])];
  return [what, withDomain(rest[0]), sameTime(rest[1])];
}

/** Tables may write a timer's domain in more than one way. */
function withDomain(result: unknown): unknown {
  const parts = typeof result === 'string' ? /^(event|proc)[a-z_]*:(\d+)$/i.exec(result) : null;
  if (parts === null) return result;
  return `${parts[1]!.toLowerCase() === 'event' ? 'event' : 'processing'}:${parts[2]}`;
}
