import { expect, test } from 'vitest';
import { type DataStream, valueState } from '../src/index.ts';
import { everyCheckpoint, harness } from '../src/testing.ts';

const p = (i: { a: DataStream<{ u: string }> }) => ({
  out: i.a.keyBy((x) => x.u).process({
    state: { seen: valueState({ initial: 0 }) }, timers: { t: 'eventTime', p: 'processingTime' },
    *onElement(v, { state, timers }) { state.seen.update(state.seen.value() + 1); timers.set('t', { after: { milliseconds: 3 } }); timers.set('p', { after: { milliseconds: 10 } }); yield `el ${v.u} ${state.seen.value()}`; },
    onTimer({ name, at }, { key, timestamp, watermark, state }) { return [`${name} ${key} ${at} ${timestamp} ${watermark} ${state.seen.value()}`]; },
  }),
});
test('harness', () => {
  const h = harness(p);
  h.push('a', { u: 'x' }, 5).push('a', { u: 'y' }, 6).watermark(8);
  expect(h.drainTimed('out')).toMatchInlineSnapshot(`
    [
      {
        "timestamp": 5,
        "value": "el x 1",
      },
      {
        "timestamp": 6,
        "value": "el y 1",
      },
      {
        "timestamp": 8,
        "value": "t x 8 8 8 1",
      },
    ]
  `);
  expect(everyCheckpoint(p, (s) => s.push('a', { u: 'x' }, 5).push('a', { u: 'y' }, 6).watermark(8).push('a', { u: 'x' }, 9).processingTime(10).watermark(100).end())).toMatchInlineSnapshot(`
    {
      "out": [
        "el x 1",
        "el y 1",
        "t x 8 8 8 1",
        "el x 2",
        "p x 10 undefined 8 2",
        "p y 10 undefined 8 1",
        "t y 9 9 100 1",
        "t x 12 12 100 2",
      ],
    }
  `);
});
