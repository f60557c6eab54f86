import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../src/time/timestamp.ts';
import { WatermarkValve } from '../../src/time/watermarkValve.ts';

type Step =
  readonly ['wm', channel: number, at: number] | readonly ['idle' | 'active' | 'end', channel: number] | readonly ['snapshotRestore'];
type Emitted = number | 'IDLE' | 'ACTIVE';

function emitted({ output }: WatermarkValve, returned: boolean): Emitted[] {
  expect(returned).toBe(output.advanced || output.statusChanged);
  return [
    ...(output.statusChanged && !output.idle ? ['ACTIVE' as const] : []),
    ...(output.advanced ? [output.watermark] : []),
    ...(output.statusChanged && output.idle ? ['IDLE' as const] : []),
  ];
}

function run(channels: number, steps: readonly Step[]): Emitted[][] {
  let valve = new WatermarkValve(channels);
  return steps.map((step) => {
    switch (step[0]) {
      case 'wm':
        return emitted(valve, valve.advance(step[1], step[2]));
      case 'idle':
      case 'active':
        return emitted(valve, valve.setIdle(step[1], step[0] === 'idle'));
      case 'end':
        return emitted(valve, valve.end(step[1]));
      case 'snapshotRestore': {
        const state = JSON.parse(JSON.stringify(valve.snapshot())) as ReturnType<WatermarkValve['snapshot']>;
        valve = new WatermarkValve(channels);
        valve.restore(state);
        return [];
      }
    }
  });
}

describe('one channel', () => {
  test('never goes back', () => {
    expect(run(1, [['wm', 0, 25], ['wm', 0, 18], ['wm', 0, 42]])).toEqual([[25], [], [42]]); // prettier-ignore
  });

  test('drops what an idle channel says', () => {
    expect(run(1, [['wm', 0, 25], ['idle', 0], ['wm', 0, 50], ['active', 0], ['wm', 0, 40]])).toEqual([[25], ['IDLE'], [], ['ACTIVE'], [40]]); // prettier-ignore
  });

  test('its end is the end of time', () => {
    expect(run(1, [['wm', 0, 25], ['end', 0], ['end', 0], ['wm', 0, 30]])).toEqual([[25], [MAX_TIMESTAMP], [], []]); // prettier-ignore
    expect(run(1, [['idle', 0], ['end', 0]])).toEqual([['IDLE'], ['ACTIVE', MAX_TIMESTAMP]]); // prettier-ignore
  });
});

describe('several channels', () => {
  test('waits until all have spoken', () => {
    expect(run(2, [['wm', 0, 5], ['wm', 1, 3], ['wm', 1, 9]])).toEqual([[], [3], [5]]); // prettier-ignore
  });

  test('is idle only when all are', () => {
    const steps: Step[] = [['active', 0], ['active', 1], ['idle', 1], ['idle', 0], ['idle', 0], ['idle', 1], ['active', 1], ['active', 0]]; // prettier-ignore
    expect(run(2, steps)).toEqual([[], [], [], ['IDLE'], [], [], ['ACTIVE'], []]);
  });

  test('goes on with the rest when one goes idle', () => {
    const steps: Step[] = [['wm', 0, 25], ['wm', 1, 10], ['wm', 2, 17], ['idle', 1], ['idle', 2]]; // prettier-ignore
    expect(run(3, steps)).toEqual([[], [], [10], [17], [25]]);
  });

  test('flushes the largest when the last goes idle, whichever that is', () => {
    const start: Step[] = [['wm', 0, 33], ['wm', 1, 42], ['wm', 2, 5]]; // prettier-ignore
    for (const order of [
      [0, 1, 2],
      [1, 0, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      // prettier-ignore
      const last = run(3, [...start, ...order.map((channel): Step => ['idle', channel])]).flat();
      expect(last.slice(-2)).toEqual([42, 'IDLE']);
    }
  });

  test('lets a channel that resumes catch up before it counts', () => {
    const steps: Step[] = [['wm', 0, 10], ['wm', 1, 12], ['idle', 1], ['wm', 0, 20], ['active', 1], ['wm', 1, 18], ['wm', 0, 25], ['wm', 1, 27], ['wm', 0, 26]]; // prettier-ignore
    expect(run(2, steps)).toEqual([[], [10], [], [20], [], [], [25], [], [26]]);
  });

  test('counts a channel that resumes beyond the rest at once', () => {
    const steps: Step[] = [['wm', 0, 10], ['wm', 1, 30], ['idle', 1], ['active', 1], ['wm', 0, 40], ['wm', 1, 35]]; // prettier-ignore
    expect(run(2, steps)).toEqual([[], [10], [], [], [30], [35]]);
  });

  test('goes on with the rest when one ends, and to the end of time only when all have', () => {
    expect(run(2, [['wm', 0, 10], ['wm', 1, 30], ['end', 0], ['wm', 1, 40], ['end', 1]])).toEqual([[], [10], [30], [40], [MAX_TIMESTAMP]]); // prettier-ignore
  });

  test('a channel that ended and one that is idle do not make the end of time', () => {
    const steps: Step[] = [['wm', 0, 10], ['wm', 1, 5], ['end', 0], ['idle', 1], ['active', 1], ['wm', 1, 20]]; // prettier-ignore
    expect(run(2, steps)).toEqual([[], [5], [], [10, 'IDLE'], ['ACTIVE'], [20]]);
  });

  test('takes the last watermark of all for the end', () => {
    expect(run(2, [['wm', 0, MAX_TIMESTAMP], ['idle', 1], ['end', 1]])).toEqual([[], ['IDLE'], ['ACTIVE', MAX_TIMESTAMP]]); // prettier-ignore
  });
});

test('a snapshot of another number of channels holds all at what was given out', () => {
  const valve = new WatermarkValve(2);
  valve.advance(0, 10);
  valve.advance(1, 30);
  const wider = new WatermarkValve(3);
  wider.restore(valve.snapshot());
  expect(wider.output).toMatchObject({ watermark: 10, idle: false, advanced: false });
  expect([wider.advance(0, 50), wider.advance(1, 40), wider.advance(2, 20)]).toEqual([false, false, true]);
  expect(wider.output.watermark).toBe(20);
});

interface Channel {
  at: number;
  status: 'active' | 'idle' | 'ended';
  counts: boolean;
}

/** Keeps what the rules speak of, and works everything out anew at each step. */
class Oracle {
  private readonly channels: Channel[];
  private given = MIN_TIMESTAMP;
  private idle = false;

  constructor(channels: number) {
    this.channels = Array.from({ length: channels }, () => ({ at: MIN_TIMESTAMP, status: 'active', counts: true }));
  }

  step(step: Step): Emitted[] {
    if (step[0] === 'snapshotRestore') return [];
    const channel = this.channels[step[1]]!;
    if (channel.status === 'ended') return [];
    if (step[0] === 'wm') return this.watermark(channel, step[2]);
    const status = ({ active: 'active', idle: 'idle', end: 'ended' } as const)[step[0]];
    if (status === channel.status) return [];
    channel.status = status;
    channel.counts = status === 'active' && channel.at >= this.given;
    return this.emit(status === 'active' ? MIN_TIMESTAMP : this.left());
  }

  private watermark(channel: Channel, at: number): Emitted[] {
    if (channel.status === 'idle' || at <= channel.at) return [];
    channel.at = at;
    if (at >= this.given) channel.counts = true;
    return this.emit(this.minimum());
  }

  /** The watermark that is to be given out when a channel goes idle or ends. */
  private left(): number {
    if (this.channels.every(({ status }) => status === 'ended')) return MAX_TIMESTAMP;
    const silent = this.channels.every(({ status }) => status !== 'active');
    return silent ? Math.max(...this.channels.map(({ at }) => at)) : this.minimum();
  }

  private minimum(): number {
    const counting = this.channels.filter(({ counts }) => counts).map(({ at }) => at);
    return counting.length === 0 ? MIN_TIMESTAMP : Math.min(...counting);
  }

  private emit(watermark: number): Emitted[] {
    const out: Emitted[] = [];
    const over = this.channels.every(({ status }) => status === 'ended');
    const idle = !over && this.channels.every(({ status }) => status !== 'active');
    if (this.idle && !idle) out.push('ACTIVE');
    if (watermark > this.given) out.push((this.given = watermark));
    if (idle && !this.idle) out.push('IDLE');
    this.idle = idle;
    return out;
  }
}

test('equals the recomputed minimum over random scripts, with a snapshot between any two steps', () => {
  const script = fc.integer({ min: 1, max: 4 }).chain((channels) => {
    const channel = fc.nat({ max: channels - 1 });
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constant('wm' as const), channel, fc.integer({ min: -5, max: 40 })) },
      { weight: 4, arbitrary: fc.tuple(fc.constantFrom('idle' as const, 'active' as const), channel) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('end' as const), channel) },
      { weight: 2, arbitrary: fc.constant(['snapshotRestore'] as const) },
    );
    return fc.tuple(fc.constant(channels), fc.array(step, { maxLength: 60, size: 'max' }));
  });
  fc.assert(
    fc.property(script, ([channels, steps]) => {
      const oracle = new Oracle(channels);
      expect(run(channels, steps)).toEqual(steps.map((step) => oracle.step(step)));
    }),
    { numRuns: 1_500 },
  );
});
