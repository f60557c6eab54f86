import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyedTable } from '../../src/state/keyedTable.ts';
import { entriesOf } from '../../src/state/storedState.ts';
import { KeyedTimers } from '../../src/state/keyedTimers.ts';
import { TimerQueue } from '../../src/state/timerQueue.ts';
import { errorCode } from '../time/errorCode.ts';

describe('timer queue', () => {
  test('against a sorted list, over random sets, cancels and pops', () => {
    const step = fc.record({
      op: fc.constantFrom('set', 'set', 'set', 'cancel', 'pop'),
      slot: fc.integer({ min: 0, max: 40 }),
      name: fc.integer({ min: 0, max: 2 }),
      time: fc.integer({ min: -5, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const queue = new TimerQueue();
        let naive: { slot: number; name: number; time: number }[] = [];
        const same = (a: { slot: number; name: number; time: number }) => (b: typeof a) =>
          a.slot === b.slot && a.name === b.name && a.time === b.time;
        for (const { op, ...timer } of steps) {
          const known = naive.some(same(timer));
          if (op === 'set') {
            expect(queue.set(timer.slot, timer.name, timer.time)).toBe(!known);
            if (!known) naive.push(timer);
          } else if (op === 'cancel') {
            expect(queue.cancel(timer.slot, timer.name, timer.time)).toBe(known);
            naive = naive.filter((other) => !same(timer)(other));
          } else if (naive.length > 0) {
            const first = naive.reduce((a, b) => (b.time < a.time ? b : a));
            queue.pop();
            expect({ slot: queue.slot, name: queue.name, time: queue.time }).toEqual(first);
            naive = naive.filter((other) => other !== first);
          }
          expect([queue.size, queue.earliest]).toEqual([naive.length, Math.min(...naive.map(({ time }) => time), Infinity)]);
        }
        for (let slot = 0; slot < 42; slot++) {
          for (let name = 0; name < 3; name++) {
            expect(queue.timersOf(slot, name).times).toEqual(
              naive.filter((t) => t.slot === slot && t.name === name).map(({ time }) => time),
            );
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('entries are used again', () => {
    const queue = new TimerQueue();
    for (let at = 0; at < 50_000; at++) {
      queue.set(at % 10, 0, at);
      if (queue.size > 20) queue.pop();
    }
    expect((Reflect.get(queue, 'times') as Float64Array).length).toBeLessThan(100);
  });

  test('a restored timer keeps its place among those of its time', () => {
    const queue = new TimerQueue();
    queue.set(1, 0, 5, 7);
    queue.set(2, 0, 5, 3);
    queue.set(3, 0, 5);
    const order = [0, 0, 0].map(() => (queue.pop(), queue.slot));
    expect(order).toEqual([2, 1, 3]);
  });
});

describe('keyed timers', () => {
  const open = () => {
    const table = new KeyedTable();
    const told: number[] = [];
    const timers = new KeyedTimers(table, { ciao: 'eventTime', hello: 'eventTime', wall: 'processingTime' }, (at) => told.push(at));
    return { table, timers, told };
  };
  const fired = ({ table, timers }: ReturnType<typeof open>, domain: 'eventTime' | 'processingTime', now: number): unknown[] => {
    const due: unknown[] = [];
    while (timers.popDue(domain, now)) due.push([table.key, timers.dueName, timers.dueTime]);
    return due;
  };

  test('one per key, name and time; cancelling one leaves the others', () => {
    const opened = open();
    const { table, timers } = opened;
    for (const key of ['k1', 'k2']) {
      table.enter(key);
      for (const name of ['ciao', 'hello', 'ciao']) timers.set(name, 10);
    }
    table.enter('k1');
    timers.cancel('hello', 10);
    table.enter('k2');
    timers.cancel('ciao', 10);
    expect(timers.size).toBe(2);
    expect(fired(opened, 'eventTime', 9)).toEqual([]);
    expect(fired(opened, 'eventTime', 10)).toEqual([
      ['k1', 'ciao', 10],
      ['k2', 'hello', 10],
    ]);
    expect([timers.size, table.index.size]).toEqual([0, 0]);
  });

  test('without a time, all of a name and key; of a key without any, nothing', () => {
    const opened = open();
    const { table, timers } = opened;
    table.enter('a');
    for (const at of [3, 1, 2]) timers.set('ciao', at);
    timers.set('hello', 2);
    table.enter('b');
    timers.set('ciao', 1);
    timers.cancel('hello');
    table.enter('c');
    timers.cancel('ciao');
    table.enter('a');
    timers.cancel('ciao');
    expect(fired(opened, 'eventTime', 99)).toEqual([
      ['b', 'ciao', 1],
      ['a', 'hello', 2],
    ]);
  });

  test('domains are apart, and whoever keeps the clock is told of each new earliest', () => {
    const opened = open();
    const { table, timers, told } = opened;
    table.enter('a');
    for (const at of [20, 30, 10, 10, 15]) timers.set('wall', at);
    timers.set('ciao', 1);
    expect(told).toEqual([20, 10]);
    expect([timers.earliest('eventTime'), timers.earliest('processingTime'), timers.domainOf('wall')]).toEqual([1, 10, 'processingTime']);
    expect(fired(opened, 'processingTime', 15)).toEqual([
      ['a', 'wall', 10],
      ['a', 'wall', 15],
    ]);
    expect(timers.earliest('processingTime')).toBe(20);
    timers.clear();
    expect([timers.size, table.index.size, timers.earliest('processingTime')]).toEqual([0, 0, Infinity]);
  });

  test('restored, they fire in the order in which they were set, over names and keys', () => {
    const opened = open();
    const { table, timers } = opened;
    for (const [key, name, at] of [
      ['b', 'hello', 5],
      ['a', 'ciao', 5],
      ['a', 'hello', 5],
      ['b', 'ciao', 5],
      ['a', 'ciao', 4],
    ] as const) {
      table.enter(key);
      timers.set(name, at);
    }
    const restored = open();
    for (const key of ['a', 'b']) {
      table.enter(key);
      for (const entry of entriesOf(timers, table.find())) {
        restored.table.enter(key);
        restored.timers.restore(structuredClone({ key, ...entry }));
      }
    }
    restored.table.enter('c');
    restored.timers.set('ciao', 5);
    const expected = [
      ['a', 'ciao', 4],
      ['b', 'hello', 5],
      ['a', 'ciao', 5],
      ['a', 'hello', 5],
      ['b', 'ciao', 5],
    ];
    expect(fired(restored, 'eventTime', 5)).toEqual([...expected, ['c', 'ciao', 5]]);
    expect(fired(opened, 'eventTime', 5)).toEqual(expected);
  });

  test('a name that was not declared is an error', () => {
    const { table, timers } = open();
    table.enter('a');
    for (const run of [() => timers.set('addio', 1), () => timers.cancel('addio'), () => timers.domainOf('addio')]) {
      expect(errorCode(run)).toBe('timer/undeclared');
    }
    expect(table.index.size).toBe(0);
  });
});
