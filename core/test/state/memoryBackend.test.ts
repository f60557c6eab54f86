import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { avg, count } from '../../src/state/aggregate.ts';
import { aggregatingState, listState, mapState, reducingState, valueState } from '../../src/state/descriptor.ts';
import type { Key } from '../../src/state/key.ts';
import { MemoryBackend } from '../../src/state/memoryBackend.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { errorCode } from '../time/errorCode.ts';

function open() {
  const backend = new MemoryBackend(new ManualClock());
  return {
    backend,
    value: backend.open('value', valueState<number>()),
    initial: backend.open('initial', valueState({ initial: 7 })),
    list: backend.open('list', listState<number>()),
    map: backend.open('map', mapState<Key, number>()),
    reducing: backend.open('reducing', reducingState<number>({ reduce: (a, b) => a + b })),
    mean: backend.open('mean', aggregatingState({ aggregate: avg((n: number) => n) })),
    counts: backend.openAggregates('counts', { n: count() } as never),
    buffers: backend.openTimeBuffers<number>('buffers'),
    frames: backend.openFrames('frames', { n: count() } as never),
    timers: backend.openTimers({ t: 'eventTime', p: 'processingTime' }, () => undefined),
  };
}
type Opened = ReturnType<typeof open>;

/** All that the current key holds, by plain values. */
function contents({ value, initial, list, map, reducing, mean, counts, buffers, frames }: Opened): unknown {
  const buffer = buffers.find();
  return {
    value: value.value(),
    initial: initial.value(),
    list: [...list.get()],
    map: [...map.entries()],
    reducing: reducing.get(),
    mean: mean.get(),
    counts: counts.result(),
    buffer: buffer === undefined ? undefined : buffer.stored(),
    frame: frames.latest() === -Infinity ? undefined : frames.result(),
  };
}

const EMPTY = {
  value: undefined,
  initial: 7,
  list: [],
  map: [],
  reducing: undefined,
  mean: undefined,
  counts: undefined,
  buffer: undefined,
  frame: undefined,
};

/** Writes to one state, with a number that tells writes apart. */
const WRITES: Readonly<Record<string, (opened: Opened, n: number) => void>> = {
  value: ({ value }, n) => value.update(n),
  'value to undefined': ({ value }) => value.update(undefined),
  initial: ({ initial }, n) => initial.update(n),
  'clear initial': ({ initial }) => initial.clear(),
  list: ({ list }, n) => list.add(n),
  'update list': ({ list }, n) => list.update(Array.from({ length: n % 4 }, (_, i) => i)),
  map: ({ map }, n) => map.put([`${n % 3}`, n % 2], n),
  'scalar in map': ({ map }, n) => map.put(n % 3 === 0 ? '\u0000key:' : n % 3, n),
  'remove from map': ({ map }, n) => map.remove(n % 2 === 0 ? [`${n % 3}`, n % 2] : n % 3),
  reducing: ({ reducing }, n) => reducing.add(n),
  mean: ({ mean }, n) => mean.add(n),
  counts: ({ counts }, n) => counts.add(n),
  buffers: ({ buffers }, n) => buffers.claim().insert(n, n),
  'drop buffer': ({ buffers }, n) => void buffers.dropUntil(n - 3),
  frames: ({ frames }, n) => frames.slide(n - 5, n, n),
  'clear one': ({ list, map, reducing, mean, frames }, n) => [list, map, reducing, mean, frames][n % 5]!.clear(),
  clear: ({ backend }) => backend.clear(),
};

const keys: readonly Key[] = ['a', 'b', 1, 1n, ['a', 1], ['a']];

describe('memory backend', () => {
  test('states of each key are its own, and a snapshot restores them all', () => {
    const step = fc.record({ key: fc.constantFrom(...keys), write: fc.constantFrom(...Object.keys(WRITES)) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        // Every key has a backend of its own to compare with.
        const together = open();
        const alone = new Map(keys.map((key) => [key, open()]));
        for (const [n, { key, write }] of steps.entries()) {
          together.backend.enter(key);
          WRITES[write]!(together, n);
          alone.get(key)!.backend.enter('alone');
          WRITES[write]!(alone.get(key)!, n);
        }
        const restored = open();
        for (const entry of together.backend.entries()) restored.backend.restore(structuredClone(entry));
        for (const key of keys) {
          together.backend.enter(key);
          restored.backend.enter(key);
          const own = alone.get(key)!;
          own.backend.enter('alone');
          const expected = contents(own);
          expect(contents(together)).toEqual(expected);
          expect(contents(restored)).toEqual(expected);
        }
        const held = keys.filter((key) => [...alone.get(key)!.backend.keys()].length > 0);
        for (const { backend } of [together, restored]) expect(new Set([...backend.keys()].map(String))).toEqual(new Set(held.map(String)));
        expect([...restored.backend.entries()]).toEqual([...together.backend.entries()]);
      }),
      { numRuns: 150 },
    );
  });

  test.each(Object.entries(WRITES))('%s: a key that was cleared costs nothing', (_, write) => {
    const opened = open();
    for (const key of keys) {
      opened.backend.enter(key);
      for (const n of [5, 4, 3, 2, 1]) write(opened, n);
      opened.backend.clear();
      expect(contents(opened)).toEqual(EMPTY);
    }
    expect([[...opened.backend.keys()], [...opened.backend.entries()]]).toEqual([[], []]);
  });

  test('reading holds no key', () => {
    const opened = open();
    opened.backend.enter('a');
    expect(contents(opened)).toEqual(EMPTY);
    expect(opened.map.isEmpty()).toBe(true);
    expect([...opened.map.keys(), ...opened.map.values()]).toEqual([]);
    opened.timers.cancel('t');
    opened.backend.clear();
    expect([...opened.backend.keys()]).toEqual([]);
  });

  test('timers count as content of a key, and go with it', () => {
    const { backend, timers } = open();
    backend.enter('a');
    timers.set('t', 5);
    timers.set('p', 5);
    expect([...backend.keys()]).toEqual(['a']);
    backend.clear();
    expect([[...backend.keys()], timers.size]).toEqual([[], 0]);
  });

  test('a map keeps tuples, scalars and texts that look like tuples apart, in order', () => {
    const { backend, map } = open();
    backend.enter('k');
    const looksLikeTuple = '\u0000key:\u0006\u0007';
    const userKeys: Key[] = [1, '1', 1n, true, [], [1], looksLikeTuple, ['\ud800'], -0, 'é', [['a'], 'b'], [['a', 'b']]];
    for (const [n, key] of userKeys.entries()) map.put(key, n);
    expect([...map.keys()]).toEqual(userKeys.map((key) => (key === 0 ? 0 : key)));
    expect([...map.values()]).toEqual(userKeys.map((_, n) => n));
    for (const [n, key] of userKeys.entries()) expect([map.get(key), map.has(key)]).toEqual([n, true]);
    expect([map.has([true]), map.has('a'), map.get(2)]).toEqual([false, false, undefined]);
    map.put(5, undefined as never);
    expect([map.has(5), map.get(5)]).toEqual([true, undefined]);
    const other = open();
    for (const entry of backend.entries()) other.backend.restore(entry);
    other.backend.enter('k');
    expect([...other.map.entries()]).toEqual([...map.entries()]);
    for (const key of [...userKeys, 5]) map.remove(key);
    expect([...backend.keys()]).toEqual([]);
  });

  test('a list that was given is not the list that is held', () => {
    const { backend, list } = open();
    backend.enter('k');
    const mine = [1, 2];
    list.update(mine);
    mine.push(3);
    expect([...list.get()]).toEqual([1, 2]);
    list.update([]);
    expect([...backend.keys()]).toEqual([]);
  });

  test('falsy values are values', () => {
    const { backend, value } = open();
    const texts = backend.open('texts', valueState<string | null | boolean>());
    backend.enter('k');
    for (const falsy of ['', null, false]) {
      texts.update(falsy);
      expect(texts.value()).toBe(falsy);
    }
    value.update(0);
    expect([value.value(), [...backend.entries()].length]).toEqual([0, 2]);
  });

  test('two states of one name, and a snapshot of a state that is not declared, are errors', () => {
    const { backend } = open();
    for (const again of [
      () => backend.open('map', valueState()),
      () => backend.openAggregates('value', {}),
      () => backend.openFrames('list', {}),
      () => backend.openTimeBuffers('counts'),
    ]) {
      expect(errorCode(again)).toBe('state/duplicate');
    }
    expect(errorCode(() => backend.restore({ state: 'gone', key: 'k', value: 1 }))).toBe('state/restore');
  });
});
