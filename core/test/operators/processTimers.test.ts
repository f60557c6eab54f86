import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DataStream, valueState } from '../../src/index.ts';
import { everyCheckpoint, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { emissions } from './steps.ts';

interface Item {
  readonly key: number;
  readonly n: number;
}
type In = { readonly in: DataStream<Item> };

const item = (key: number, n: number = key): Item => ({ key, n });
const keyed = (i: In) => i.in.keyBy(({ key }) => key);

describe('timers of a process function', () => {
  test('fire in the context of the key that set them; one key’s cancelling leaves another’s', () => {
    const pipeline = (i: In) => ({
      out: keyed(i).process({
        state: { held: valueState<number>() },
        timers: { due: 'eventTime' },
        *onElement({ n }, { state, timers, watermark }) {
          if (state.held.value() === undefined) {
            yield `INPUT:${n}`;
            state.held.update(n);
            timers.set('due', watermark + 5);
          } else {
            state.held.clear();
            timers.cancel('due', watermark + 4);
          }
        },
        onTimer: (_timer, { state }) => [`STATE:${state.held.value()}`],
      }),
    });
    const script = (h: { push(n: 'in', v: Item, at: number): unknown; watermark(at: number): unknown }): void => {
      h.watermark(1);
      for (const n of [17, 13]) h.push('in', item(n), 0);
      h.watermark(2);
      for (const n of [42, 13]) h.push('in', item(n), 1);
      h.watermark(6);
      h.watermark(7);
    };
    const h = harness(pipeline);
    script(h);
    expect(emissions(h.drainTimed('out'))).toEqual([
      ['INPUT:17', 0],
      ['INPUT:13', 0],
      ['INPUT:42', 1],
      ['STATE:17', 6],
      ['STATE:42', 7],
    ]);
    everyCheckpoint(pipeline, script);
  });

  test('processing-time timers give elements without a timestamp; both domains fire each by its own clock', () => {
    const pipeline = (i: In) => ({
      out: keyed(i).process({
        timers: { soon: 'processingTime', later: 'eventTime' },
        onElement(_item, { timers, now }) {
          timers.set('soon', now() + 5);
          timers.set('soon', { after: { milliseconds: 7 } });
          timers.set('later', { after: { milliseconds: 3 } });
          timers.set('later', 6);
        },
        onTimer: ({ name, at }, { timestamp }) => [`${name} ${at} ${timestamp}`],
      }),
    });
    const { out } = everyCheckpoint(
      pipeline,
      (h) => h.push('in', item(1), 1).processingTime(4).processingTime(5).watermark(4).processingTime(9).watermark(6),
      { startAt: 0 },
    );
    expect(out).toEqual(['soon 5 undefined', 'later 4 4', 'soon 7 undefined', 'later 6 6']);
  });

  test('the same timer set twice is set once; without a time all of a name are cancelled', () => {
    const pipeline = (i: In) => ({
      out: keyed(i).process({
        timers: { a: 'eventTime', b: 'eventTime' },
        onElement({ n }, { timers }) {
          for (const at of [9, 3, 9, 3, 5]) timers.set('a', at);
          timers.set('b', 3);
          timers.cancel('b', 4);
          if (n === 2) timers.cancel('a');
        },
        onTimer: ({ name, at }, { key }) => [`${key} ${name} ${at}`],
      }),
    });
    const { out } = everyCheckpoint(pipeline, (h) => h.push('in', item(1)).push('in', item(2)).watermark(3).end());
    expect([...out].sort()).toEqual(['1 a 3', '1 a 5', '1 a 9', '1 b 3', '2 b 3']);
  });

  test('a timer set from a timer, due already, fires under the same watermark, in time order', () => {
    const pipeline = (i: In) => ({
      out: keyed(i).process({
        timers: { tick: 'eventTime' },
        onElement: (_item, { timers }) => timers.set('tick', 10),
        onTimer({ at }, { timers, watermark }) {
          if (at < 40) timers.set('tick', at + 10);
          return [`${at} under ${watermark}`];
        },
      }),
    });
    const { out } = everyCheckpoint(pipeline, (h) => h.push('in', item(1)).watermark(25).watermark(100));
    expect(out).toEqual(['10 under 25', '20 under 25', '30 under 100', '40 under 100']);
  });

  test('overdue processing-time timers fire right after a restore', () => {
    const pipeline = (i: In) => ({
      out: keyed(i).process({
        timers: { soon: 'processingTime' },
        onElement: (_item, { timers }) => timers.set('soon', 5),
        onTimer: ({ at }) => [at],
      }),
    });
    const h = harness(pipeline);
    h.push('in', item(1));
    const restored = harness(pipeline, { restore: h.snapshot(), startAt: 100 });
    expect(restored.drain('out')).toEqual([5]);
  });

  test('of all processing-time timers one timeout is armed: for the earliest', () => {
    const h = harness((i: In) => ({
      out: keyed(i).process({
        timers: { wall: 'processingTime' },
        onElement({ n }, { timers }) {
          if (n > 0) timers.set('wall', n);
          else timers.cancel('wall', -n);
        },
        onTimer: ({ at }) => [at],
      }),
    }));
    const armed = (): readonly number[] => {
      const { clock } = Reflect.get(h, 'platform') as { readonly clock: object };
      return (Reflect.get(clock, 'calls') as { readonly time: number }[]).map(({ time }) => time);
    };
    expect(armed()).toEqual([]);
    for (const [key, n, expected] of [
      [1, 20, [20]],
      [1, 10, [10]],
      [2, 30, [10]],
      [1, -10, [20]],
      [2, 10, [10]],
    ] as const) {
      h.push('in', item(key, n));
      expect(armed()).toEqual(expected);
    }
    h.processingTime(10);
    expect([h.drain('out'), armed()]).toEqual([[10], [20]]);
    h.processingTime(30);
    expect([h.drain('out'), armed()]).toEqual([[20, 30], []]);
  });

  test('at the end of input, processing-time timers fire before time goes to its end', () => {
    const h = harness((i: In) => ({
      out: keyed(i).process({
        timers: { wall: 'processingTime', event: 'eventTime' },
        onElement(_item, { timers }) {
          timers.set('event', 1_000);
          timers.set('wall', 1_000);
        },
        onTimer: ({ name }) => [name],
      }),
    }));
    h.push('in', item(1), 0).end();
    expect(h.drain('out')).toEqual(['wall', 'event']);
  });

  test('against a naive list of timers, over random sets, cancels and watermarks', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 2 }),
      op: fc.constantFrom('set', 'set', 'cancel', 'watermark'),
      at: fc.integer({ min: 0, max: 30 }),
    });
    const pipeline = (i: { in: DataStream<{ key: number; op: string; at: number }> }) => ({
      out: i.in
        .keyBy(({ key }) => key)
        .process({
          timers: { t: 'eventTime' },
          onElement: ({ op, at }, { timers }) => (op === 'set' ? timers.set('t', at) : timers.cancel('t', at)),
          onTimer: ({ at }, { key }) => [`${at}/${key}`],
        }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20, size: 'max' }), (steps) => {
        const pending = new Map<string, number>();
        const expected: string[] = [];
        let watermark = -1;
        const { out } = everyCheckpoint(pipeline, (h) => {
          pending.clear();
          expected.length = 0;
          watermark = -1;
          for (const s of steps) {
            if (s.op !== 'watermark') {
              h.push('in', s);
              if (s.op === 'set') pending.set(`${s.at}/${s.key}`, s.at);
              else pending.delete(`${s.at}/${s.key}`);
              continue;
            }
            h.watermark(s.at);
            // A timer behind the watermark fires when time goes on.
            if (s.at <= watermark) continue;
            watermark = s.at;
            const due = [...pending].filter(([, at]) => at <= watermark);
            for (const [name] of due.sort(([, a], [, b]) => a - b)) {
              pending.delete(name);
              expected.push(name);
            }
          }
        });
        expect(out.map((name) => Number(name.split('/')[0]))).toEqual(expected.map((name) => Number(name.split('/')[0])));
        expect([...out].sort()).toEqual([...expected].sort());
      }),
      { numRuns: 30 },
    );
  });

  test('mistakes are told: a timer without a name, a time counted from none', () => {
    const run = (set: (timers: { set(name: never, at: unknown): void; cancel(name: never): void }) => void) => () => {
      const pipeline = (i: In) => ({
        out: keyed(i).process({ uid: 'p', timers: { a: 'eventTime' }, onElement: (_item, { timers }) => set(timers as never) }),
      });
      harness(pipeline).push('in', item(1));
    };
    expect(errorCode(run((timers) => timers.set('b' as never, 1)))).toBe('timer/undeclared');
    expect(errorCode(run((timers) => timers.cancel('b' as never)))).toBe('timer/undeclared');
    expect(errorCode(run((timers) => timers.set('a' as never, { after: { seconds: 1 } })))).toBe('timer/no-timestamp');
    for (const at of [NaN, Infinity, 1.5]) expect(errorCode(run((timers) => timers.set('a' as never, at)))).toBe('timestamp/invalid');
  });
});
