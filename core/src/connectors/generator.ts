import { MillraceError } from '../errors/millraceError.ts';
import { defineSource, type ReadContext, type Source, type SourceBatch } from '../operators/connector.ts';
import { RandomGenerator } from '../operators/random.ts';
import type { Timestamp } from '../time/timestamp.ts';
import { BatchSize } from './batchSize.ts';
import { waitUntil } from './waitUntil.ts';

/** When an element is due. The object is the same for all elements: take from it what is needed. */
export interface Schedule {
  /** By the clock's monotone reading, in ms with fractions: what `performance.now` shows in Node and browsers. */
  readonly due: number;
  /** By the time of day. */
  readonly at: Timestamp;
}

/** Options of {@link generator}. */
export interface GeneratorOptions<T> {
  /**
   * Makes the element of an index. `random` gives numbers that are uniform in [0, 1), for each index its own, the same in every
   * run; use it during the call only.
   */
  readonly create: (index: number, random: () => number, schedule: Schedule) => T;
  /** How many elements. Without it they never end. */
  readonly count?: number;
  /** Elements per second: element `i` is due `i / rate` seconds after the first. Without it they come as fast as they are taken. */
  readonly rate?: number;
  /** Begins other random numbers. An integer; default 0. */
  readonly seed?: number;
  /** Splits the indices into so many, dealt out in turn, so that several subtasks can read. Part of the positions: leave it as it is. Default 1. */
  readonly splits?: number;
}

/**
 * Makes its elements up: for examples, tests and measurements. An element depends on its index and the seed alone, so that every run
 * gives the same ones, also one that goes on from a checkpoint.
 *
 * With a `rate`, an element leaves within microseconds of the time that it is due; what could not be taken in time follows as fast as it
 * can. At more than 500 elements a second this keeps the event loop turning.
 *
 * @throws MillraceError `config/invalid` for options out of their range.
 * @example
 * const dice = await env.from(generator({ count: 100, create: (_, random) => 1 + Math.floor(random() * 6) })).collect();
 * const ticks = generator({ rate: 50, create: (id, _random, { at }) => ({ id, at }) });
 * const first = await env.from(ticks, { time: { timestamp: (tick) => tick.at } }).collect({ limit: 10 });
 */
export function generator<T>(options: GeneratorOptions<T>): Source<T> {
  const { count = Infinity, rate, splits = 1 } = options;
  check(count === Infinity || isWhole(count, 0), `count is ${count}`, 'Give a whole number, 0 or more.');
  check(rate === undefined || (rate > 0 && rate < Infinity), `rate is ${rate}`, 'Give the number of elements per second.');
  check(isWhole(splits, 1), `splits is ${splits}`, 'Give a whole number, 1 or more.');
  check(Number.isSafeInteger(options.seed ?? 0), `seed is ${options.seed}`, 'Give an integer.');
  return defineSource<T, number>({
    name: 'generator',
    bounded: count !== Infinity,
    // All at a time: one that waited for another would be behind its schedule.
    concurrentSplits: Infinity,
    open: () => {
      const made = new Generated(options);
      return {
        splits: async () => Array.from({ length: splits }, (_, split) => String(split)),
        read: (split, from = Number(split), context) => made.read(from, context),
        count: async (split) => (count === Infinity ? undefined : Math.max(0, Math.ceil((count - Number(split)) / splits))),
      };
    },
  });
}

/** The elements of all splits, which have one schedule. */
class Generated<T> {
  private readonly create: GeneratorOptions<T>['create'];
  private readonly count: number;
  /** Time from one element to the next, in ms; 0 where there is no rate. */
  private readonly interval: number;
  private readonly step: number;
  private readonly numbers: Numbers;
  private readonly schedule = new ElementSchedule();
  /** When element 0 was due, or would have been if the first one read is due at once. */
  private start: { readonly monotonic: number; readonly now: Timestamp } | undefined;

  constructor({ create, count = Infinity, rate, seed = 0, splits = 1 }: GeneratorOptions<T>) {
    this.create = create;
    this.count = count;
    this.interval = rate === undefined ? 0 : 1000 / rate;
    this.step = splits;
    this.numbers = new Numbers(seed);
  }

  async *read(from: number, context: ReadContext): AsyncGenerator<SourceBatch<T, number>, void, undefined> {
    const { clock, signal } = context;
    const { interval } = this;
    const size = new BatchSize(clock);
    const { monotonic: start } = (this.start ??= { monotonic: clock.monotonic() - from * interval, now: clock.now() - from * interval });
    for (let index = from; index < this.count && !signal.aborted;) {
      const due = start + index * interval;
      if (clock.monotonic() < due) {
        await waitUntil(due, context);
        continue;
      }
      size.begin();
      const values = this.make(index, size.limit, clock.monotonic());
      size.end(values.length);
      index += values.length * this.step;
      yield { values, position: index };
    }
  }

  /** The elements from `index` on that are due. */
  private make(index: number, limit: number, now: number): T[] {
    const { create, interval, numbers, schedule, step } = this;
    const { monotonic, now: epoch } = this.start!;
    const values: T[] = [];
    for (let at = index; values.length < limit && at < this.count; at += step) {
      const due = interval === 0 ? now : monotonic + at * interval;
      if (due > now) break;
      schedule.due = due;
      schedule.offset = epoch - monotonic;
      numbers.turnTo(at);
      values.push(create(at, numbers.random, schedule));
    }
    return values;
  }
}

class ElementSchedule implements Schedule {
  due = 0;
  /** From the monotone reading to the time of day. */
  offset = 0;

  get at(): Timestamp {
    return Math.floor(this.due + this.offset);
  }
}

/** Random numbers, a sequence for each index. One that nobody asks for costs nothing. */
class Numbers {
  private readonly seed: number;
  private readonly generator: RandomGenerator;
  private index = 0;
  private begun = false;

  constructor(seed: number) {
    this.seed = seed;
    this.generator = new RandomGenerator(seed);
  }

  /** The numbers of an index come next. */
  turnTo(index: number): void {
    this.index = index;
    this.begun = false;
  }

  readonly random = (): number => {
    if (!this.begun) {
      this.begun = true;
      this.generator.reseed(this.seed, this.index);
    }
    return this.generator.next();
  };
}

function isWhole(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

function check(valid: boolean, problem: string, remedy: string): void {
  if (!valid) throw new MillraceError('config/invalid', `The generator's ${problem}.`, { remedy });
}
