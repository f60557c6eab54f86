import type { Timestamp } from '../src/index.ts';
import { MemoryBackend } from '../src/state/memoryBackend.ts';
import { ManualClock } from '../src/testing.ts';
import { BareTasks, record } from './bareTasks.ts';
import { type Kind, multiset } from './outcome.ts';
import type { Case, Step } from './table.ts';
import { sameTime, timeOf, writeTime } from './times.ts';

type Script = Case & { readonly input: readonly Step[]; readonly expect: readonly unknown[] };
type Fired = readonly [key: string, name: string, at: unknown];

/** `timerService`: event-time timers of several keys and namespaces. What fires comes in the order of time, those of one time in any. */
export const timerService: Kind<Script> = ({ input, expect }) => {
  const names = new Set(input.flatMap(([step, , name]) => (step === 'reg' || step === 'del' ? [String(name)] : [])));
  const backend = new MemoryBackend(new ManualClock());
  const timers = backend.openTimers(Object.fromEntries([...names].map((name) => [name, 'eventTime'])), () => undefined);
  const actual = input.map(([step, ...args]): unknown => {
    switch (step) {
      case 'reg':
      case 'del': {
        const [key, name, at] = args as [string, string, unknown];
        backend.enter(key);
        if (step === 'reg') timers.set(name, timeOf(at));
        else timers.cancel(name, timeOf(at));
        return null;
      }
      case 'count':
        return args.length === 0 ? timers.size : countOf(backend, String(args[0]));
      case 'wm': {
        const fired: Fired[] = [];
        while (timers.popDue('eventTime', timeOf(args[0]))) fired.push([String(backend.key), timers.dueName, writeTime(timers.dueTime)]);
        return inTimeOrder(fired);
      }
      default:
        throw new Error(`There is no step "${step}".`);
    }
  });
  const written = (fired: readonly Fired[]): readonly unknown[] =>
    inTimeOrder(fired.map(([key, name, at]): Fired => [key, name, sameTime(at)]));
  return { actual, expected: expect.map((each) => (Array.isArray(each) ? written(each as readonly Fired[]) : each)) };
};

/** How many timers of a name there are, over all keys. */
function countOf(backend: MemoryBackend, name: string): number {
  const entries = [...backend.entries()].filter(({ userKey }) => userKey === name);
  return entries.reduce((total, { value }) => total + (value as { readonly times: readonly Timestamp[] }).times.length, 0);
}

/** Runs of one time as sets: a time that comes again after another one is out of order, and stays so. */
function inTimeOrder(fired: readonly Fired[]): readonly unknown[] {
  const runs: Fired[][] = [];
  for (const each of fired) {
    const run = runs.at(-1);
    if (run?.[0]![2] === each[2]) run!.push(each);
    else runs.push([each]);
  }
  return runs.flatMap(multiset);
}

/** `processingTimerService`: which timeouts of the host are armed for the processing-time timers of an operator. */
export const processingTimerService: Kind<Script> = async ({ input, expect }) => {
  const clock = new RecordingClock();
  const tasks = await new BareTasks(
    (from) =>
      void from<Timestamp>('timers')
        .keyBy(() => 'key')
        .process({ timers: { timer: 'processingTime' }, onElement: (at, { timers }) => timers.set('timer', at), onTimer: () => undefined }),
    { clock },
  ).open();
  const actual = input.map(([step, at]): unknown => {
    if (step === 'physical') return clock.armed.map(writeTime);
    if (step === 'reg') tasks.push('timers', record(timeOf(at)));
    else if (step === 'pt') tasks.advanceTo(timeOf(at));
    else throw new Error(`There is no step "${step}".`);
    return null;
  });
  return { actual, expected: expect.map((each) => (Array.isArray(each) ? each.map(sameTime) : each)) };
};

/** A clock that knows what it was asked to call back at. */
class RecordingClock extends ManualClock {
  private readonly waiting = new Set<{ readonly at: Timestamp }>();

  get armed(): readonly Timestamp[] {
    return [...this.waiting].map(({ at }) => at).sort((a, b) => a - b);
  }

  override schedule(at: Timestamp, callback: () => void): () => void {
    const call = { at };
    this.waiting.add(call);
    const cancel = super.schedule(at, () => {
      this.waiting.delete(call);
      callback();
    });
    return () => {
      this.waiting.delete(call);
      cancel();
    };
  }
}
