import { describe, expect, test } from 'vitest';
import { defineSink, defineSource, fromArray, StreamEnvironment } from '../../src/index.ts';

/** A sink that takes nothing until it is opened, then everything. */
class Gate<T> {
  readonly taken: T[] = [];
  private readonly waiting: (() => void)[] = [];
  private isOpen = false;

  readonly sink = defineSink<T>({
    name: 'gate',
    open: () => ({
      write: (values) => {
        this.taken.push(...values);
        return this.isOpen ? undefined : new Promise<void>((resolve) => this.waiting.push(resolve));
      },
      prepare: async () => [],
      commit: async () => undefined,
    }),
  });

  release(): void {
    this.isOpen = true;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** Lets the event loop turn until nothing has changed for a while. */
async function quiet(reading: () => number): Promise<number> {
  let last = -1;
  for (let same = 0; same < 20;) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = reading();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}

describe('credit', () => {
  test('an unbounded source stops when its sink takes nothing, and what is in flight is bounded', async () => {
    const gate = new Gate<number>();
    let read = 0;
    let mapped = 0;
    const numbers = defineSource<number, number>({
      name: 'numbers',
      bounded: false,
      open: () => ({
        splits: async () => ['all'],
        async *read(_split, from = 0) {
          for (let at = from; ; at += 500) {
            read += 500;
            yield { values: Array.from({ length: 500 }, (_, i) => at + i), position: at + 500 };
          }
        },
      }),
    });
    const env = new StreamEnvironment();
    env
      .from(numbers)
      .map((n) => {
        mapped++;
        return n;
      })
      .rebalance()
      .map((n) => n, { chain: 'start' })
      .sinkTo(gate.sink);
    const job = await env.start('credit');
    expect(await quiet(() => mapped)).toBeLessThan(20_000);
    expect(read).toBeLessThan(20_000);
    gate.release();
    await quiet(() => Number(gate.taken.length > 100_000));
    expect(gate.taken.length).toBeGreaterThan(20_000);
    await job.stop();
    expect(gate.taken.every((n, i) => n === i)).toBe(true);
    expect(gate.taken.length).toBe(mapped);
  });

  test('a watermark under which very many timers are due stops between two of them and goes on in order', async () => {
    const gate = new Gate<number>();
    const timers = 50_000;
    let fired = 0;
    const env = new StreamEnvironment();
    env
      .from(fromArray([0]), { time: { timestamp: () => 0 } })
      .keyBy((n) => n)
      .process({
        timers: { due: 'eventTime' },
        onElement(_n, context) {
          for (let at = 1; at <= timers; at++) context.timers.set('due', at);
        },
        onTimer({ at }) {
          fired++;
          return [at];
        },
      })
      .rebalance()
      .map((n) => n, { chain: 'start' })
      .sinkTo(gate.sink);
    const job = await env.start('timers');
    expect(await quiet(() => fired)).toBeLessThan(20_000);
    gate.release();
    await job.finished;
    expect(gate.taken).toEqual(Array.from({ length: timers }, (_, i) => i + 1));
  });

  test('what one call emits beyond its credit is kept', async () => {
    const gate = new Gate<number>();
    const env = new StreamEnvironment();
    env
      .from(fromArray([30_000]))
      .flatMap((n) => Array.from({ length: n }, (_, i) => i))
      .rebalance()
      .map((n) => n, { chain: 'start' })
      .sinkTo(gate.sink);
    const job = await env.start('overdraft');
    await quiet(() => gate.taken.length);
    gate.release();
    await job.finished;
    expect(gate.taken.length).toBe(30_000);
  });

  test('a job at full speed lets the event loop turn', async () => {
    const env = new StreamEnvironment();
    let done = false;
    let turns = 0;
    const count = (): void => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    env
      .from(fromArray(Array.from({ length: 200_000 }, (_, i) => i)))
      .map((n) => {
        let x = n;
        for (let i = 0; i < 200; i++) x = (x * 31 + i) % 1_000_003;
        return x;
      })
      .sinkTo(
        defineSink({ name: 'none', open: () => ({ write: () => undefined, prepare: async () => [], commit: async () => undefined }) }),
      );
    await env.execute('busy');
    done = true;
    // 40 million steps take many slices on any machine: the loop must have turned between them.
    expect(turns).toBeGreaterThan(5);
  });
});
