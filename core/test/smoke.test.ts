import { expect, test } from 'vitest';
import { StreamEnvironment, fromArray, count, sum, valueState } from '../src/index.ts';

test('map filter keyBy reduce', async () => {
  const env = new StreamEnvironment();
  const out = await env.from(fromArray(Array.from({ length: 11 }, (_, i) => i))).map((i) => ({ k: i % 2, v: i })).filter((x) => x.v !== 3).keyBy((x) => x.k).reduce((a, b) => ({ k: a.k, v: a.v + b.v })).map((x) => x.v).collect();
  expect(out).toEqual([0, 1, 2, 6, 6, 12, 13, 20, 22, 30]);
});
test('aggregate, process with timers', async () => {
  const env = new StreamEnvironment();
  const src = env.from(fromArray([{ at: 5, u: 'a' }, { at: 6, u: 'b' }, { at: 20, u: 'a' }]), { time: { timestamp: (x) => x.at } });
  const agg = src.keyBy((x) => x.u).aggregate({ n: count(), s: sum((x) => x.at) });
  const timers = src.keyBy((x) => x.u).process({
    state: { seen: valueState({ initial: 0 }) }, timers: { t: 'eventTime' },
    *onElement(v, { state, timers }) { state.seen.update(state.seen.value() + 1); timers.set('t', { after: { milliseconds: 3 } }); yield `el ${v.u} ${state.seen.value()}`; },
    onTimer({ at }, { key, timestamp, watermark }) { return [`timer ${key} ${at} ${timestamp} ${watermark}`]; },
  });
  expect(await agg.map((x) => `${x.key} ${x.value.n} ${x.value.s}`).union(timers).collect()).toMatchInlineSnapshot(`
    [
      "a 1 5",
      "b 1 6",
      "a 2 25",
      "el a 1",
      "el b 1",
      "el a 2",
      "timer a 8 8 19",
      "timer b 9 9 19",
      "timer a 23 23 9007199254740991",
    ]
  `);
});
