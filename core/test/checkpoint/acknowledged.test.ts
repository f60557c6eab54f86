import { expect, test } from 'vitest';
import { memoryStorage } from '../../src/checkpoint/memoryStorage.ts';
import { defineSource, type Source } from '../../src/operators/connector.ts';
import { discard, StreamEnvironment } from '../../src/index.ts';

/** Numbers without end, and the positions that were said to be safe. */
function numbers(safe: ReadonlyMap<string, number>[]): Source<number> {
  return defineSource<number, number>({
    name: 'numbers',
    bounded: false,
    open: () => ({
      splits: async () => ['a', 'b'],
      async *read(_split, from = 0, { later }) {
        for (let n = from; ; n++) {
          yield { values: [n], position: n + 1 };
          await new Promise<void>((resolve) => later(resolve));
        }
      },
      committed: async (positions) => void safe.push(new Map(positions)),
    }),
  });
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('a source is told the positions of each complete checkpoint, and not those of a savepoint', async () => {
  const safe: ReadonlyMap<string, number>[] = [];
  const env = new StreamEnvironment();
  const seen: number[] = [];
  env
    .from(numbers(safe), { uid: 'numbers' })
    .map((n) => (seen.push(n), n), { uid: 'seen' })
    .sinkTo(discard(), { uid: 'output' });
  const job = await env.start('acknowledged', { checkpoint: { storage: memoryStorage() } });
  await turns();
  await job.checkpoint();
  await turns();
  const most = Math.max(...seen);
  expect(safe).toHaveLength(1);
  expect([...safe[0]!.keys()].sort()).toEqual(['a', 'b']);
  for (const position of safe[0]!.values()) {
    expect(position).toBeGreaterThan(0);
    expect(position).toBeLessThanOrEqual(most + 1);
  }
  await job.savepoint(memoryStorage());
  expect(safe).toHaveLength(1);
  await turns();
  await job.checkpoint();
  expect(safe).toHaveLength(2);
  for (const [split, position] of safe[1]!) expect(position).toBeGreaterThan(safe[0]!.get(split)!);
  await job.cancel();
});
