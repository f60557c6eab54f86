import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  aggregatingState,
  avg,
  type DataStream,
  fromArray,
  listState,
  mapState,
  output,
  reducingState,
  StreamEnvironment,
  valueState,
} from '../../src/index.ts';
import { everyCheckpoint, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { emissions, storedState } from './steps.ts';

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

describe('state of a process function', () => {
  const everyKind = (i: In) => ({
    out: keyed(i).process({
      uid: 'kinds',
      state: {
        count: valueState({ initial: 0 }),
        seen: listState<number>(),
        byParity: mapState<string, number>(),
        longest: reducingState<number>({ reduce: (a, b) => Math.max(a, b) }),
        mean: aggregatingState({ aggregate: avg((n: number) => n) }),
      },
      onElement({ n }, { state: { count, seen, byParity, longest, mean } }) {
        if (n < 0) for (const state of [count, seen, byParity, longest, mean]) state.clear();
        else {
          count.update(count.value() + 1);
          seen.add(n);
          byParity.put(n % 2 === 0 ? 'even' : 'odd', n);
          longest.add(n);
          mean.add(n);
        }
        return [[count.value(), [...seen.get()], Object.fromEntries(byParity.entries()), longest.get(), mean.get()] as const];
      },
    }),
  });

  test('every kind, per key, through every checkpoint', () => {
    const { out } = everyCheckpoint(everyKind, (h) =>
      h.push('in', item(1, 4)).push('in', item(2, 9)).push('in', item(1, 7)).push('in', item(1, -1)).push('in', item(1, 2)),
    );
    expect(out).toEqual([
      [1, [4], { even: 4 }, 4, 4],
      [1, [9], { odd: 9 }, 9, 9],
      [2, [4, 7], { even: 4, odd: 7 }, 7, 5.5],
      [0, [], {}, undefined, undefined],
      [1, [2], { even: 2 }, 2, 2],
    ]);
  });

  test('a key that was cleared holds nothing', () => {
    const h = harness(everyKind);
    h.push('in', item(1, 4)).push('in', item(1, -1)).push('in', item(2, -1));
    expect(storedState(h.snapshot(), 'kinds').keyed).toEqual([]);
  });

  test('two states of one name cannot be, and one that is not declared cannot be used', () => {
    const h = harness((i: In) => ({
      out: keyed(i).process({ uid: 'p', onElement: (_item, { state }) => (state as unknown as { gone: { value(): void } }).gone.value() }),
    }));
    expect(errorCode(() => h.push('in', item(1)))).toBe('operator/failed');
  });
});

describe('handlers', () => {
  test('what they return is emitted with the element’s time: arrays, generators, sets, nothing', () => {
    const h = harness((i: In) => ({
      out: keyed(i).process({
        onElement({ n }): Iterable<number> | undefined {
          if (n === 0) return undefined;
          if (n === 1) return [1, 2];
          return n === 2
            ? new Set([3, 4])
            : (function* () {
                yield 5;
              })();
        },
      }),
    }));
    for (const n of [0, 1, 2, 3]) h.push('in', item(0, n), n * 10);
    expect(emissions(h.drainTimed('out'))).toEqual([
      [1, 10],
      [2, 10],
      [3, 20],
      [4, 20],
      [5, 30],
    ]);
  });

  test('side outputs: declared names only, dropped where nobody takes them', () => {
    const pipeline = (i: In) => {
      const out = keyed(i).process({
        uid: 'sides',
        outputs: { odd: output<number>(), untaken: output<string>() },
        onElement({ n }, { output: emit }) {
          emit('untaken', 'x');
          if (n > 5) (emit as (name: string, value: unknown) => void)('nowhere', n);
          if (n % 2 === 1) emit('odd', n);
          else return [n];
          return undefined;
        },
      });
      expectTypeOf(out.side('odd')).toEqualTypeOf<DataStream<number>>();
      return { out, odd: out.side('odd') };
    };
    const h = harness(pipeline);
    for (const n of [1, 2, 3]) h.push('in', item(0, n), n);
    expect([h.drain('out'), emissions(h.drainTimed('odd'))]).toEqual([
      [2],
      [
        [1, 1],
        [3, 3],
      ],
    ]);
    expect(() => h.push('in', item(0, 7))).toThrow(expect.objectContaining({ code: 'output/undeclared', uid: 'sides' }));
  });

  test('the random generator is part of the state, and of the seed', () => {
    const pipeline = (i: In) => ({ out: keyed(i).process({ uid: 'dice', onElement: (_item, { random }) => [random()] }) });
    const script = (h: { push(n: 'in', v: Item): unknown }): void => {
      for (let n = 0; n < 6; n++) h.push('in', item(n % 2));
    };
    const { out } = everyCheckpoint(pipeline, script);
    expect(new Set(out).size).toBe(6);
    expect(everyCheckpoint(pipeline, script).out).toEqual(out);
    expect(everyCheckpoint(pipeline, script, { run: { seed: 1 } }).out).not.toEqual(out);
  });

  test('counters are metrics of the operator', async () => {
    const env = new StreamEnvironment();
    const numbers = env.from(fromArray([1, 2, 3, 4]));
    numbers
      .keyBy((n) => n % 2)
      .process({
        uid: 'counting',
        onElement(n, { counter }) {
          counter('seen').add();
          counter('sum').add(n);
        },
      });
    const job = await env.start('counters');
    await job.finished;
    expect(job.metrics().operators.find(({ uid }) => uid === 'counting')).toMatchObject({
      recordsIn: 4,
      recordsOut: 0,
      counters: { seen: 4, sum: 10 },
    });
  });

  test('what they throw names the operator, from an element, a generator or a timer', () => {
    const throwing = (where: 'element' | 'generator' | 'timer') => (i: In) => ({
      out: keyed(i).process({
        uid: 'broken',
        timers: { due: 'eventTime' },
        onElement(_item, { timers }): Iterable<number> {
          timers.set('due', 1);
          if (where === 'element') throw new Error('no');
          return (function* () {
            if (where === 'generator') throw new Error('no');
            yield 1;
          })();
        },
        onTimer(): void {
          if (where === 'timer') throw new Error('no');
        },
      }),
    });
    for (const where of ['element', 'generator', 'timer'] as const) {
      expect(() => harness(throwing(where)).push('in', item(1), 0).watermark(1)).toThrow(
        expect.objectContaining({ code: 'operator/failed', uid: 'broken' }),
      );
      const h = harness(throwing(where), { run: { onError: 'skip' } });
      h.push('in', item(1), 0).watermark(1).push('in', item(1), 2);
      expect(h.drain('out')).toEqual(where === 'timer' ? [1, 1] : []);
    }
  });

  test('without a key: no state, no timers', () => {
    const pipeline = (i: In) => {
      const out = i.in.process({
        uid: 'plain',
        outputs: { big: output<number>() },
        onElement({ n }, { timestamp, watermark, output: emit, counter }) {
          counter('seen').add();
          if (n > 9) emit('big', n);
          return [`${n} ${timestamp} ${watermark}`];
        },
      });
      expectTypeOf(out).toExtend<DataStream<string>>();
      return { out, big: out.side('big') };
    };
    const { out, big } = everyCheckpoint(pipeline, (h) => h.push('in', item(0, 1), 3).watermark(5).push('in', item(0, 10)).end());
    expect([out, big]).toEqual([[`1 3 ${Number.MIN_SAFE_INTEGER}`, '10 undefined 5'], [10]]);
    const stream = new StreamEnvironment().input<number>('n');
    // @ts-expect-error state belongs to a key
    stream.process({ state: { a: valueState<number>() }, onElement: () => undefined });
    // @ts-expect-error so do timers
    stream.process({ onElement: (_n, { timers }) => [timers] });
  });

  test('in batch mode timers fire where a perfectly ordered stream would fire them', async () => {
    const sessions = (stream: DataStream<{ key: number; at: number }>): DataStream<string> =>
      stream
        .keyBy(({ key }) => key)
        .process({
          state: { n: valueState({ initial: 0 }) },
          timers: { close: 'eventTime' },
          onElement({ at }, { state, timers }) {
            state.n.update(state.n.value() + 1);
            timers.cancel('close');
            timers.set('close', at + 5);
          },
          onTimer({ at }, { key, state }) {
            const line = `${key}: ${state.n.value()} until ${at}`;
            state.n.clear();
            return [line];
          },
        });
    const events = [5, 1, 9, 3, 20].map((at, n) => ({ key: n % 2, at }));
    const h = harness((i: { in: DataStream<{ key: number; at: number }> }) => ({ out: sessions(i.in) }));
    for (const event of events.toSorted((a, b) => a.at - b.at)) h.watermark(event.at - 1).push('in', event, event.at);
    const expected = ['0: 1 until 25', '0: 2 until 14', '1: 2 until 8'];
    expect(h.end().drain('out').sort()).toEqual(expected);
    const env = new StreamEnvironment({ mode: 'batch' });
    const source = env.from(fromArray(events), { time: { timestamp: ({ at }) => at } });
    expect((await sessions(source).collect()).sort()).toEqual(expected);
  });
});
