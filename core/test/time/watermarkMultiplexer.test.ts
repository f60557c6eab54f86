import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MIN_TIMESTAMP } from '../../src/time/timestamp.ts';
import { WatermarkMultiplexer } from '../../src/time/watermarkMultiplexer.ts';
import { errorCode } from './errorCode.ts';

function withSplits(mode: 'immediate' | 'periodic', ...splits: string[]): WatermarkMultiplexer {
  const multiplexer = new WatermarkMultiplexer(mode);
  for (const split of splits) multiplexer.register(split);
  return multiplexer;
}

describe('immediate', () => {
  test('gives out the smallest as it moves', () => {
    const splits = withSplits('immediate', 'a', 'b');
    expect(splits.advance('a', 2)).toBe(false);
    expect(splits.advance('b', 5)).toBe(true);
    expect(splits.output).toMatchObject({ watermark: 2, advanced: true, statusChanged: false, idle: false });
    expect(splits.advance('b', 6)).toBe(false);
    expect(splits.output.advanced).toBe(false);
  });

  test('a split does not go back', () => {
    const splits = withSplits('immediate', 'a', 'b');
    splits.advance('a', 10);
    splits.advance('a', 4);
    splits.advance('b', 7);
    expect(splits.output.watermark).toBe(7);
  });

  test('an idle split no longer counts', () => {
    const splits = withSplits('immediate', 'a', 'b');
    splits.advance('a', 2);
    splits.advance('b', 5);
    expect(splits.setIdle('a', true)).toBe(true);
    expect(splits.output).toMatchObject({ watermark: 5, idle: false });
    // It resumes behind the rest: it counts at once, and nothing goes back.
    expect(splits.advance('a', 3)).toBe(false);
    expect(splits.advance('b', 9)).toBe(false);
    expect(splits.output.watermark).toBe(5);
    expect(splits.advance('a', 7)).toBe(true);
    expect(splits.output.watermark).toBe(7);
  });

  test('flushes the largest when the last goes idle, whichever that is', () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      // prettier-ignore
      const splits = withSplits('immediate', 'a', 'b');
      splits.advance('a', 5);
      splits.advance('b', 2);
      for (const split of order) splits.setIdle(split, true);
      expect(splits.output).toMatchObject({ watermark: 5, idle: true, statusChanged: true });
    }
  });

  test('is active again with the first that resumes', () => {
    const splits = withSplits('immediate', 'a', 'b');
    for (const split of ['a', 'b']) splits.setIdle(split, true);
    expect(splits.output).toMatchObject({ watermark: MIN_TIMESTAMP, idle: true });
    expect(splits.setIdle('a', false)).toBe(true);
    expect(splits.output).toMatchObject({ idle: false, statusChanged: true, advanced: false });
    splits.setIdle('a', true);
    expect(splits.advance('b', 0)).toBe(true);
    expect(splits.output).toMatchObject({ watermark: 0, idle: false, advanced: true, statusChanged: true });
  });

  test('removing the slowest moves nothing by itself', () => {
    const splits = withSplits('immediate', 'a', 'b');
    splits.advance('a', -4_343);
    splits.advance('b', -4_333);
    expect(splits.remove('a')).toBe(true);
    expect(splits.output.watermark).toBe(-4_343);
    expect(splits.combine()).toBe(true);
    expect(splits.output.watermark).toBe(-4_333);
    expect(splits.remove('a')).toBe(false);
  });

  test('a new split behind a removed one takes nothing back', () => {
    const splits = withSplits('immediate', 'high');
    splits.advance('high', 2);
    splits.remove('high');
    splits.register('low');
    expect(splits.advance('low', 1)).toBe(false);
    expect(splits.output.watermark).toBe(2);
  });
});

describe('periodic', () => {
  test('waits for combine', () => {
    const splits = withSplits('periodic', 'a', 'b');
    expect([splits.advance('a', 0), splits.advance('b', 1)]).toEqual([false, false]);
    expect(splits.output.watermark).toBe(MIN_TIMESTAMP);
    expect(splits.combine()).toBe(true);
    expect(splits.output.watermark).toBe(0);
    expect(splits.combine()).toBe(false);
  });

  test('gives out watermark and idleness at one time', () => {
    const splits = withSplits('periodic', 'a', 'b');
    splits.advance('a', 5);
    splits.setIdle('a', true);
    splits.advance('b', 2);
    splits.setIdle('b', true);
    expect(splits.output.idle).toBe(false);
    splits.combine();
    expect(splits.output).toMatchObject({ watermark: 5, idle: true, advanced: true, statusChanged: true });
    splits.advance('a', 3);
    expect(splits.output.idle).toBe(true);
    splits.combine();
    expect(splits.output).toMatchObject({ watermark: 5, idle: false, advanced: false, statusChanged: true });
  });
});

describe('without splits', () => {
  test('says nothing before the first', () => {
    const splits = new WatermarkMultiplexer('periodic');
    expect(splits.combine()).toBe(false);
    expect(splits.output).toMatchObject({ watermark: MIN_TIMESTAMP, idle: false });
  });

  test('is idle at the largest watermark after the last', () => {
    const splits = withSplits('immediate', 'a', 'b');
    splits.advance('a', 9);
    splits.advance('b', 4);
    splits.remove('a');
    splits.remove('b');
    expect(splits.combine()).toBe(true);
    expect(splits.output).toMatchObject({ watermark: 9, idle: true });
    splits.register('c');
    expect(splits.advance('c', 3)).toBe(true);
    expect(splits.output).toMatchObject({ watermark: 9, idle: false });
  });
});

test('knows its splits', () => {
  const splits = withSplits('immediate', 'a');
  splits.advance('a', 7);
  expect([splits.watermarkOf('a'), splits.watermarkOf('b')]).toEqual([7, undefined]);
  expect(errorCode(() => splits.register('a'))).toBe('watermark/invalid');
  expect(errorCode(() => splits.advance('b', 1))).toBe('watermark/invalid');
  expect(errorCode(() => splits.setIdle('b', true))).toBe('watermark/invalid');
});

type Step =
  | { readonly do: 'advance'; readonly split: string; readonly at: number }
  | { readonly do: 'idle' | 'active' | 'register' | 'remove'; readonly split: string }
  | { readonly do: 'combine' };

/** Works the minimum out anew at each step. */
class Oracle {
  watermark = MIN_TIMESTAMP;
  idle = false;
  private readonly splits = new Map<string, { at: number; idle: boolean }>();
  private readonly gone: number[] = [];
  private readonly mode: 'immediate' | 'periodic';

  constructor(mode: 'immediate' | 'periodic') {
    this.mode = mode;
  }

  /** Whether the step makes sense: a split is registered once, and before it is spoken of. */
  allows(step: Step): boolean {
    return step.do === 'combine' || this.splits.has(step.split) !== (step.do === 'register');
  }

  step(step: Step): void {
    if (step.do === 'combine') return this.combine();
    if (step.do === 'register') return void this.splits.set(step.split, { at: MIN_TIMESTAMP, idle: false });
    const split = this.splits.get(step.split)!;
    if (step.do === 'remove') {
      this.gone.push(split.at);
      this.splits.delete(step.split);
      return;
    }
    if (step.do === 'advance') split.at = Math.max(split.at, step.at);
    split.idle = step.do === 'idle';
    if (this.mode === 'immediate') this.combine();
  }

  private combine(): void {
    const splits = [...this.splits.values()];
    const all = [...this.gone, ...splits.map(({ at }) => at)];
    if (all.length === 0) return;
    const active = splits.filter(({ idle }) => !idle).map(({ at }) => at);
    this.idle = active.length === 0;
    this.watermark = Math.max(this.watermark, this.idle ? Math.max(...all) : Math.min(...active));
  }
}

function perform(splits: WatermarkMultiplexer, step: Step): boolean {
  switch (step.do) {
    case 'advance':
      return splits.advance(step.split, step.at);
    case 'idle':
    case 'active':
      return splits.setIdle(step.split, step.do === 'idle');
    case 'combine':
      return splits.combine();
    case 'register':
      splits.register(step.split);
      return false;
    case 'remove':
      expect(splits.remove(step.split)).toBe(true);
      return false;
  }
}

test('equals the recomputed minimum over random scripts, with a snapshot between any two steps', () => {
  const split = fc.constantFrom('a', 'b', 'c');
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('advance' as const), split, at: fc.integer({ min: -5, max: 40 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('idle' as const, 'active' as const), split }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('register' as const, 'remove' as const), split }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('combine' as const) }) },
  );
  const mode = fc.constantFrom('immediate' as const, 'periodic' as const);
  fc.assert(
    fc.property(
      mode,
      fc.subarray(['a', 'b', 'c']),
      fc.array(step, { maxLength: 50, size: 'max' }),
      fc.boolean(),
      (mode, begin, steps, snapshots) => {
        let splits = new WatermarkMultiplexer(mode);
        const oracle = new Oracle(mode);
        for (const step of [...begin.map((split): Step => ({ do: 'register', split })), ...steps]) {
          if (!oracle.allows(step)) continue;
          if (snapshots) {
            const state = JSON.parse(JSON.stringify(splits.snapshot())) as ReturnType<WatermarkMultiplexer['snapshot']>;
            splits = new WatermarkMultiplexer(mode);
            splits.restore(state);
          }
          const { watermark, idle } = oracle;
          oracle.step(step);
          const changed = perform(splits, step);
          expect([splits.output.watermark, splits.output.idle]).toEqual([oracle.watermark, oracle.idle]);
          expect(changed).toBe(watermark !== oracle.watermark || idle !== oracle.idle);
          if (changed)
            expect(splits.output).toMatchObject({ advanced: watermark !== oracle.watermark, statusChanged: idle !== oracle.idle });
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
