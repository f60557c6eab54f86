import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventQueue, queuesAsState } from '../../src/operators/eventQueue.ts';
import { errorCode } from '../time/errorCode.ts';

type Taken = readonly [time: number, key: string, value: number];

function takeUntil(queue: EventQueue<number>, time: number): Taken[] {
  const taken: Taken[] = [];
  while (queue.earliest <= time) {
    queue.take();
    taken.push([queue.time, queue.key as string, queue.value!]);
  }
  return taken;
}

/** What is added lies after what was taken, as behind a watermark; `spread` is how far out of order it may be. */
const steps = (spread: number) =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ add: fc.integer({ min: 1, max: spread }), key: fc.constantFrom('a', 'b') }) },
      fc.record({ advance: fc.integer({ min: 0, max: spread }) }),
      fc.constant('restore' as const),
    ),
    { maxLength: 200, size: 'max' },
  );

describe('event queue', () => {
  test.each([1, 2, 5, 40])('out of order by %i: against a stable sort, restored now and then', (spread) => {
    fc.assert(
      fc.property(steps(spread), (script) => {
        let queue = new EventQueue<number>('q');
        let naive: Taken[] = [];
        let watermark = 0;
        for (const [id, step] of script.entries()) {
          if (step === 'restore') {
            const entries = [...queue.entries()];
            expect(new Set(entries.map(({ userKey }) => userKey)).size).toBe(naive.length);
            queue = new EventQueue('q');
            for (const entry of entries) queue.restore(entry);
          } else if ('add' in step) {
            queue.add(watermark + step.add, step.key, id);
            naive.push([watermark + step.add, step.key, id]);
            naive.sort(([a, , m], [b, , n]) => a - b || m - n);
          } else {
            watermark += step.advance;
            expect(takeUntil(queue, watermark)).toEqual(naive.filter(([time]) => time <= watermark));
            naive = naive.filter(([time]) => time > watermark);
          }
          expect([queue.size, queue.earliest]).toEqual([naive.length, naive[0]?.[0] ?? Infinity]);
        }
        expect([...queue.entries()].map(({ key, value }) => [key, value])).toEqual(
          naive.map(([time, key, value]) => [key, { time, value }]),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('what is taken leaves nothing behind, in order or not', () => {
    const queue = new EventQueue<number>('q');
    for (let at = 0; at < 50_000; at++) {
      queue.add(at + 20, 'in order', at);
      queue.add(at + 10, 'behind', at);
      takeUntil(queue, at);
    }
    expect(queue.size).toBe(30);
    for (const column of ['times', 'keys', 'values', 'strayTimes', 'strayKeys']) {
      expect((Reflect.get(queue, column) as unknown[]).length).toBeLessThan(5_000);
    }
  });

  test('queues as state: each takes its own entries back, and an unknown one is an error', () => {
    const queues = [new EventQueue<unknown>('a'), new EventQueue<unknown>('b')];
    queues[0]!.add(1, 'x', 'first');
    queues[1]!.add(2, 'y', undefined);
    const entries = [...queuesAsState(queues).entries()];
    const restored = [new EventQueue<unknown>('a'), new EventQueue<unknown>('b')];
    const { restoreEntry } = queuesAsState(restored);
    entries.forEach(restoreEntry);
    expect(restored.map((queue) => [...queue.entries()])).toEqual([[entries[0]], [entries[1]]]);
    expect(errorCode(() => restoreEntry({ state: 'c', key: 'x', value: 0 }))).toBe('state/restore');
  });
});
