import type { DataStream, Key } from '@millrace/core';
import { everyCheckpoint, harness } from '@millrace/core/testing';
import { describe, expect, test } from 'vitest';
import { detectAll, pattern, type Rule, type RuleChange, type RuleMatch } from '../../src/index.ts';

interface Event {
  readonly key: string;
  readonly type: string;
  readonly id: number;
}

type Inputs = { readonly events: DataStream<Event>; readonly changes: DataStream<RuleChange> };

const is = (type: string) => ({ expression: { '==': [{ field: 'type' }, type] } });
const pair = (link: string, within?: number) => ({
  version: 1 as const,
  sequence: {
    ...(within !== undefined && { within }),
    steps: [
      { kind: 'event', link: 'begin', name: 'a', where: is('A') },
      { kind: 'event', link, name: 'b', where: is('B') },
    ],
  },
});
const event = (type: string, id: number, key = 'k'): Event => ({ key, type, id });

function line({ rule, version, start, end, match }: RuleMatch<Event, Key>): string {
  const taken = Object.entries(match).map(([step, list]) => `${step}=${list.map(({ id }) => id).join()}`);
  return `${rule}${version} ${start}-${end} ${taken.join(' ')}`;
}

describe("emit: 'exists'", () => {
  const isA = (each: Event): boolean => each.type === 'A';
  const rules: readonly Rule<Event>[] = [
    { rule: 'compact', version: 1, pattern: pair('followedByAny') },
    // Asks what was taken before, and so is followed run by run.
    {
      rule: 'runs',
      version: 1,
      pattern: pattern<Event>()
        .begin('a')
        .where(isA)
        .followedByAny('b')
        .where((each, { a }) => each.type === 'B' && each.id > a![0].id),
    },
  ];
  const pipeline = ({ events }: Pick<Inputs, 'events'>) => ({
    found: events.keyBy(({ key }) => key).pipe(detectAll(rules, { uid: 'rules', emit: 'exists' })),
  });

  test('one output for each event that completes matches of a rule, whoever follows it', () => {
    const { found } = everyCheckpoint(pipeline, (h) => {
      for (const [at, type] of ['A', 'A', 'B', 'C', 'B'].entries()) h.push('events', event(type, at), at);
      h.end();
    });
    expect(found.map(line)).toEqual(['compact1 2-2 a= b=2', 'runs1 2-2 a= b=2', 'compact1 4-4 a= b=4', 'runs1 4-4 a= b=4']);
  });
});

describe('by the clock', () => {
  const pipeline = ({ events, changes }: Inputs) => {
    const found = events.keyBy(({ key }) => key).pipe(detectAll(changes, { uid: 'rules', time: 'processingTime' }));
    return { found, timedOut: found.side('timedOut') };
  };

  test('windows end by it, and a change is valid from when it comes', () => {
    const outputs = everyCheckpoint(pipeline, (h) => {
      h.push('events', event('A', 0));
      h.push('changes', { type: 'add', rule: 'r', version: 1, pattern: pair('followedBy', 100) });
      h.push('events', event('B', 1)).push('events', event('A', 2)).processingTime(50).push('events', event('B', 3));
      h.push('events', event('A', 4))
        .push('events', event('A', 5, 'other'))
        .processingTime(149)
        .processingTime(150);
      h.push('events', event('B', 6)).processingTime(200);
    });
    expect(outputs.found.map(line)).toEqual(['r1 0-50 a=2 b=3']);
    expect(outputs.timedOut.map(line).toSorted()).toEqual(['r1 50-50 a=4', 'r1 50-50 a=5']);
  });

  test('a rule that is removed lets go of its runs when that comes, or at the time that it says', () => {
    const outputs = everyCheckpoint(pipeline, (h) => {
      h.push('changes', { type: 'add', rule: 'r', version: 1, pattern: pair('followedBy') });
      h.push('changes', { type: 'add', rule: 's', version: 1, pattern: pair('followedBy') });
      h.push('events', event('A', 0)).processingTime(10);
      h.push('changes', { type: 'remove', rule: 'r', version: 2 });
      h.push('changes', { type: 'remove', rule: 's', version: 2, from: 20 });
      h.push('events', event('B', 1)).push('events', event('A', 2)).processingTime(20).push('events', event('B', 3));
    });
    expect(outputs.found.map(line)).toEqual(['s1 0-10 a=0 b=1']);
  });

  test('rules of which nothing is left are forgotten', () => {
    const h = harness(pipeline);
    const sizes: number[] = [];
    for (let version = 1; version <= 6; version++) {
      h.push('changes', { type: version === 1 ? 'add' : 'update', rule: 'r', version, pattern: pair('followedBy', 10) });
      h.push('events', event('A', version)).processingTime(version * 100);
      sizes.push(h.snapshot().bytes.length);
    }
    expect(sizes[5]).toBeLessThan(sizes[2]! * 1.2);
  });
});

test('a comparator brings events of one time in order', () => {
  const rules: readonly Rule<Event>[] = [{ rule: 'r', version: 1, pattern: pair('next') }];
  const compare = (a: Event, b: Event): number => a.id - b.id;
  for (const time of ['eventTime', 'processingTime'] as const) {
    const pipeline = ({ events }: Pick<Inputs, 'events'>) => ({
      found: events.keyBy(({ key }) => key).pipe(detectAll(rules, { uid: 'rules', time, compare })),
    });
    const { found } = everyCheckpoint(pipeline, (h) => {
      h.push('events', event('B', 2), 5).push('events', event('A', 1), 5).processingTime(1).watermark(5).end();
    });
    expect(found.map(({ match }) => Object.values(match).flatMap((list) => list.map(({ id }) => id)))).toEqual([[1, 2]]);
  }
});

test('an event without a time is refused where events are brought in order by it', () => {
  const pipeline = ({ events }: Pick<Inputs, 'events'>) => ({
    found: events
      .keyBy(({ key }) => key)
      .pipe(detectAll<Event, string>([{ rule: 'r', version: 1, pattern: pair('next') }], { uid: 'rules' })),
  });
  expect(() => harness(pipeline).push('events', event('A', 1))).toThrow(/graph\/no-timestamps/);
});
