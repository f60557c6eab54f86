import { describe, expect, test } from 'vitest';
import { CutWriter } from '../../src/checkpoint/cutWriter.ts';
import { readKeyedSegment } from '../../src/checkpoint/keyedSegment.ts';
import { valueState } from '../../src/index.ts';
import { MemoryShare } from '../../src/state/memoryShare.ts';
import { PagedBackend } from '../../src/state/pagedBackend.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { MapStore } from './mapStore.ts';

function open(bytes: number) {
  const clock = new ManualClock();
  const store = new MapStore();
  const told: string[] = [];
  const backpressure = {
    block: () => void told.push('block'),
    unblock: () => void told.push('unblock'),
    placed: (error: unknown) => error,
    fail: (error: unknown) => void told.push(String(error)),
  };
  const backend = new PagedBackend({
    clock,
    store: () => store,
    number: 0,
    maxParallelism: 4,
    share: new MemoryShare(bytes),
    backpressure,
  });
  return { backend, clock, store, told };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('backend whose keys come and go', () => {
  test('holds no more in memory than it may, however the values grow', async () => {
    const { backend } = open(100_000);
    const text = backend.open('text', valueState<string>());
    for (let round = 1; round <= 4; round++) {
      for (let key = 0; key < 2_000; key++) {
        backend.enter(key);
        text.update('x'.repeat(round * 40));
        expect((backend.table as unknown as { resident: number }).resident).toBeLessThan(140_000);
      }
      await turn();
    }
    backend.enter(17);
    expect(text.value()).toHaveLength(160);
  });

  test('asks for a pause while too much waits to be written, and takes it back', async () => {
    const { backend, told } = open(0);
    const text = backend.open('text', valueState<string>());
    for (let key = 0; key < 2_000; key++) {
      backend.enter(key);
      text.update('x'.repeat(10_000));
    }
    expect(told).toEqual(['block']);
    for (let i = 0; i < 20; i++) await turn();
    expect(told).toEqual(['block', 'unblock']);
  });

  test('a write that fails is told once, and whoever asks for state then', async () => {
    const { backend, told, store } = open(0);
    const text = backend.open('text', valueState<string>());
    store.failure = new Error('broken');
    for (let key = 0; key < 100; key++) {
      backend.enter(key);
      text.update('x'.repeat(10_000));
    }
    await turn();
    expect(told).toEqual(['Error: broken']);
    backend.enter(1);
    expect(() => text.value()).toThrow('broken');
  });

  test('what has expired leaves the store although nobody asks for it, and checkpoints too', async () => {
    const { backend, clock, store } = open(0);
    const passing = backend.open('passing', valueState<number>({ ttl: { seconds: 1 } }));
    const lasting = backend.open('lasting', valueState<number>());
    backend.track();
    const write = async (from: number, to: number): Promise<void> => {
      for (let key = from; key < to; key++) {
        backend.enter(key);
        passing.update(key);
        if (key % 100 === 0) lasting.update(key);
        if (key % 50 === 0) await turn();
      }
    };
    await write(0, 1_000);
    const first = new CutWriter();
    const whole = backend.cut(first, { whole: true, apart: false });
    while (whole.step(100)) await whole.fetching;
    expect([...readKeyedSegment(first.finish())]).toHaveLength(1_000);
    clock.advanceTo(1_000);
    await write(10_000, 14_000);
    const second = new CutWriter();
    const changes = backend.cut(second, { whole: false, apart: false });
    while (changes.step(100)) await changes.fetching;
    const gone = [...readKeyedSegment(second.tombstones.finish())];
    expect(gone.length).toBeGreaterThan(900);
    for (let i = 0; i < 20; i++) await turn();
    expect(store.size).toBeLessThan(4_100);
    backend.enter(300);
    expect([passing.value(), lasting.value()]).toEqual([undefined, 300]);
  });
});
