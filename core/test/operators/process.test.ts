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
