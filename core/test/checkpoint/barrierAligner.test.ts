import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BarrierAligner } from '../../src/checkpoint/barrierAligner.ts';

describe('BarrierAligner', () => {
  test('blocks a channel from its barrier until all have come', () => {
    const aligner = new BarrierAligner(3, true);
    expect(aligner.barrier(1, 1)).toEqual({ completed: undefined, aborted: undefined });
    expect([0, 1, 2].map((channel) => aligner.isBlocked(channel))).toEqual([false, true, false]);
    aligner.barrier(2, 1);
    expect(aligner.barrier(0, 1).completed).toBe(1);
    expect([0, 1, 2].some((channel) => aligner.isBlocked(channel))).toBe(false);
  });

  test('a newer barrier aborts the older alignment and unblocks its channels', () => {
    const aligner = new BarrierAligner(2, true);
    aligner.barrier(0, 1);
    expect(aligner.barrier(1, 2)).toEqual({ completed: undefined, aborted: 1 });
    expect(aligner.isBlocked(0)).toBe(false);
    expect(aligner.isBlocked(1)).toBe(true);
    expect(aligner.barrier(1, 1)).toEqual({ completed: undefined, aborted: undefined });
    expect(aligner.barrier(0, 2).completed).toBe(2);
  });

  test('one that is given up before its barriers come does not take those before it along', () => {
    const aligner = new BarrierAligner(2, true);
    aligner.barrier(0, 1);
    aligner.abort(3);
    expect(aligner.barrier(1, 1).completed).toBe(1);
    aligner.barrier(0, 2);
    expect(aligner.barrier(1, 2).completed).toBe(2);
    expect(aligner.barrier(0, 3)).toEqual({ completed: undefined, aborted: undefined });
    expect(aligner.isBlocked(0)).toBe(false);
  });

  test('an ended channel counts as aligned', () => {
    const aligner = new BarrierAligner(2, true);
    aligner.barrier(0, 7);
    expect(aligner.end(1).completed).toBe(7);
    expect(aligner.barrier(0, 8).completed).toBe(8);
  });

  test('at-least-once blocks nothing', () => {
    const aligner = new BarrierAligner(2, false);
    aligner.barrier(0, 1);
    expect(aligner.isBlocked(0)).toBe(false);
    expect(aligner.barrier(1, 1).completed).toBe(1);
  });

  test('an abort by the coordinator unblocks, and its barriers that come later do nothing', () => {
    const aligner = new BarrierAligner(2, true);
    aligner.barrier(0, 3);
    aligner.abort(3);
    expect(aligner.isBlocked(0)).toBe(false);
    expect(aligner.barrier(1, 3)).toEqual({ completed: undefined, aborted: undefined });
    expect(aligner.isBlocked(1)).toBe(false);
  });

  test('over random interleavings each checkpoint is complete once, exactly when its last barrier has come', () => {
    const channelStreams = fc.integer({ min: 1, max: 4 }).chain((channels) =>
      fc.record({
        // What each channel sends: the barriers 1 … n in order; then it may end.
        lengths: fc.array(fc.nat(6), { minLength: channels, maxLength: channels }),
        order: fc.array(fc.nat(channels - 1), { maxLength: 60 }),
      }),
    );
    fc.assert(
      fc.property(channelStreams, ({ lengths, order }) => {
        const aligner = new BarrierAligner(lengths.length, true);
        const sent = lengths.map(() => 0);
        const done: number[] = [];
        for (const channel of order) {
          if (aligner.isBlocked(channel) || sent[channel]! >= lengths[channel]!) continue;
          const { completed } = aligner.barrier(channel, ++sent[channel]!);
          if (completed !== undefined) {
            expect(Math.min(...sent)).toBe(completed);
            done.push(completed);
          }
        }
        expect(done).toEqual([...new Set(done)].sort((a, b) => a - b));
        expect(done.length).toBe(Math.min(...sent));
      }),
    );
  });
});
