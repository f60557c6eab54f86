import { describe, expect, test } from 'vitest';
import { type DataStream, fromArray, StreamEnvironment } from '../../src/index.ts';
import { everyCheckpoint, harness } from '../../src/testing.ts';

interface Event {
  readonly at: number;
}

/** Says for each element what time it was given and where the watermark stood. */
const told = (stream: DataStream<Event>) =>
  stream
    .keyBy(() => 0)
    .process({
      timers: { due: 'eventTime' },
      onElement(event: Event, { timestamp, watermark, timers }) {
        timers.set('due', { after: { milliseconds: 5 } });
        return [`${event.at} at ${timestamp}, watermark ${watermark < 0 ? 'MIN' : watermark}`];
      },
      onTimer: ({ at }) => [`due ${at}`],
    });

describe('withTime', () => {
  test('gives elements their time and watermarks that follow it; incoming watermarks are dropped', () => {
    const { out } = everyCheckpoint(
      (i: { in: DataStream<Event> }) => ({ out: told(i.in.withTime({ timestamp: ({ at }) => at, outOfOrder: { milliseconds: 2 } })) }),
      (h) => h.push('in', { at: 10 }).watermark(1_000).push('in', { at: 14 }).push('in', { at: 20 }).end(),
    );
    expect(out).toEqual(['10 at 10, watermark MIN', '14 at 14, watermark 7', '20 at 20, watermark 11', 'due 15', 'due 19', 'due 25']);
  });

  test('a punctuated watermark takes effect with its element', () => {
    const h = harness((i: { in: DataStream<Event & { mark?: boolean }> }) => ({
      out: told(i.in.withTime({ timestamp: ({ at }) => at, punctuated: ({ mark }, at) => (mark === true ? at : undefined) })),
    }));
    h.push('in', { at: 1 }).push('in', { at: 6, mark: true }).push('in', { at: 7 });
    expect(h.drain('out')).toEqual(['1 at 1, watermark MIN', '6 at 6, watermark MIN', 'due 6', '7 at 7, watermark 6']);
  });

  test.each([Number.NaN, 1.5, Infinity, '7', undefined])('a timestamp of %s rejects the element', (at) => {
    const pipeline = (i: { in: DataStream<Event> }) => ({ out: i.in.withTime({ timestamp: (e) => e.at }, { uid: 'time' }) });
    expect(() => harness(pipeline).push('in', { at: at as number })).toThrow(
      expect.objectContaining({ code: 'timestamp/invalid', uid: 'time' }),
    );
    const h = harness(pipeline, { run: { onError: 'skip' } });
    h.push('in', { at: at as number }).push('in', { at: -3 });
    expect(h.drainTimed('out')).toEqual([{ value: { at: -3 }, timestamp: -3 }]);
  });

  test.each([{ idleAfter: { seconds: 1 } }, { alignment: { group: 'files', maxDrift: { minutes: 1 } } }])(
    'refuses what only a source can keep: %o',
    (option) => {
      const build = () => new StreamEnvironment().from(fromArray([{ at: 1 }])).withTime({ timestamp: (e) => e.at, ...option });
      expect(build).toThrow(expect.objectContaining({ code: 'graph/option' }));
    },
  );

  test('makes an untimed source good for event time', async () => {
    const env = new StreamEnvironment();
    const results = await told(env.from(fromArray([{ at: 1 }])).withTime({ timestamp: ({ at }) => at })).collect();
    expect(results).toEqual(['1 at 1, watermark MIN', 'due 6']);
  });
});
