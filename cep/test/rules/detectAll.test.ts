import { type DataStream, type Key, MIN_TIMESTAMP } from '@millrace/core';
import { everyCheckpoint, harness } from '@millrace/core/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { detect, detectAll, fromJSON, type RuleChange, type RuleMatch } from '../../src/index.ts';

interface Event {
  readonly key: string;
  readonly type: string;
  readonly id: number;
  readonly at: number;
}

type Dated = RuleChange & { readonly at: number };

const is = (type: string) => ({ expression: { '==': [{ field: 'type' }, type] } });
const begin = (type: string) => ({ kind: 'event', link: 'begin', name: 'a', where: is(type) });
const then = (link: string, type: string) => ({ kind: 'event', link, name: 'b', where: is(type) });

/** Patterns of every sort: strict, relaxed, loops, absences in the middle and at the end, comparisons with earlier events. */
const PATTERNS: readonly unknown[] = [
  { version: 1, sequence: { steps: [begin('A'), then('next', 'B')] } },
  { version: 1, sequence: { within: 30, steps: [begin('A'), then('followedBy', 'B')] } },
  { version: 1, sequence: { within: 40, steps: [begin('B'), then('followedByAny', 'A')] } },
  {
    version: 1,
    sequence: {
      within: 50,
      steps: [
        begin('A'),
        { ...then('followedBy', 'B'), times: { min: 1, max: null, inner: 'relaxed' } },
        { ...then('followedBy', 'C'), name: 'c' },
      ],
    },
  },
  {
    version: 1,
    sequence: { steps: [begin('A'), { kind: 'not', link: 'followedBy', name: 'n', where: is('C') }, then('followedBy', 'B')] },
  },
  { version: 1, sequence: { within: 25, steps: [begin('A'), { kind: 'not', link: 'followedBy', name: 'n', where: is('B') }] } },
  {
    version: 1,
    sequence: {
      within: 60,
      steps: [
        begin('A'),
        {
          kind: 'event',
          link: 'followedBy',
          name: 'b',
          where: { expression: { '==': [{ '%': [{ '-': [{ field: 'id' }, { last: 'a', field: 'id' }] }, 2] }, 0] } },
        },
      ],
    },
  },
  { version: 1, sequence: { steps: [{ kind: 'event', link: 'begin', name: 'a' }, then('next', 'C')] } },
];

const events = fc
  .array(fc.record({ key: fc.constantFrom('x', 'y', 'z'), type: fc.constantFrom('A', 'B', 'C'), at: fc.integer({ min: 1, max: 100 }) }), {
    minLength: 1,
    maxLength: 14,
  })
  .map((list) => list.map((event, id): Event => ({ ...event, id })));

/** Versions of up to three rules. */
const changes = fc
  .array(
    fc.record({
      rule: fc.constantFrom('r', 's', 't'),
      removes: fc.boolean(),
      pattern: fc.constantFrom(...PATTERNS),
      at: fc.integer({ min: 0, max: 80 }),
      from: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined }),
      until: fc.option(fc.integer({ min: 20, max: 100 }), { nil: undefined }),
      runs: fc.option(fc.constantFrom('drain' as const, 'discard' as const), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) => {
    const versions = new Map<string, number>();
    return list.map(({ rule, removes, pattern, at, from, until, runs }): Dated => {
      const version = (versions.get(rule) ?? 0) + 1;
      versions.set(rule, version);
      const common = { rule, version, at, ...(from !== undefined && { from }), ...(runs !== undefined && { runs }) };
      if (removes && version > 1) return { type: 'remove', ...common };
      return { type: version === 1 ? 'add' : 'update', ...common, pattern, ...(until !== undefined && { until }) };
    });
  });

function pipeline({ events: stream, changes: rules }: { events: DataStream<Event>; changes: DataStream<Dated> }) {
  const said = rules.map(changeOf);
  const found = stream.keyBy(({ key }) => key).pipe(detectAll(said, { uid: 'rules' }));
  return { found, timedOut: found.side('timedOut') };
}

function changeOf(dated: Dated): RuleChange {
  return Object.fromEntries(Object.entries(dated).filter(([name]) => name !== 'at')) as unknown as RuleChange;
}

/** A match as one line. */
function line({ rule, version, match }: Pick<RuleMatch<Event, Key>, 'rule' | 'version' | 'match'>): string {
  return `${rule}${version} ${JSON.stringify(Object.values(match).map((taken) => taken.map(({ id }) => id)))}`;
}

/** Each version alone, by `detect`, over all events; then those matches that its validity allows. */
function expected(list: readonly Event[], said: readonly Dated[]): string[] {
  const fromOf = (change: Dated): number => Math.max(change.from ?? MIN_TIMESTAMP, change.at);
  return said
    .flatMap((change) => {
      if (change.type === 'remove') return [];
      const later = said.filter(({ rule, version }) => rule === change.rule && version > change.version);
      const until = Math.min(change.until ?? Infinity, ...later.map(fromOf));
      const discarding = later.filter(({ type, runs = type === 'remove' ? 'discard' : 'drain' }) => runs === 'discard');
      const discardAt = Math.min(Infinity, ...discarding.map(fromOf));
      const alone = ({ events: stream }: { events: DataStream<Event> }) => ({
        found: stream
          .keyBy(({ key }) => key)
          .pipe(detect(fromJSON<Event>(change.pattern), (match, { start, end }) => ({ match, start, end }))),
      });
      const h = harness(alone);
      for (const event of list.filter(({ at }) => at >= fromOf(change)).toSorted((a, b) => a.at - b.at)) h.push('events', event, event.at);
      h.end();
      return (
        h
          .drainTimed('found')
          // What time decides is certain when that time has come, before anything that happens at it.
          .filter(({ value: { start, end }, timestamp }) => start < until && end < discardAt && timestamp! <= discardAt)
          .map(({ value: { match } }) => line({ ...change, match: match as Readonly<Record<string, readonly Event[]>> }))
      );
    })
    .toSorted();
}

const RUNS = process.env['MILLRACE_LONG'] === undefined ? 10 : 200;

const order = fc.array(fc.nat(), { minLength: 40, maxLength: 40 });

/** Everything in an arbitrary order, with watermarks that hold none of it for late; of one time, events keep their order. */
function script(list: readonly Event[], said: readonly Dated[], shuffle: readonly number[]) {
  const items = [
    ...said.map((value, i) => ({ input: 'changes' as const, value, rank: shuffle[i]! })),
    ...list.map((value, i) => ({ input: 'events' as const, value, rank: shuffle[said.length + i]! })),
  ].toSorted((a, b) => a.rank - b.rank);
  return (h: { push(input: never, value: never, at: number): unknown; watermark(at: number): unknown; end(): unknown }): void => {
    items.forEach((item, i) => {
      h.push(item.input as never, item.value as never, item.value.at);
      const next = Math.min(...items.slice(i + 1).map(({ value }) => value.at)) - 1;
      if (i % 3 === 2 && Number.isFinite(next)) h.watermark(next);
    });
    h.end();
  };
}

/** Events of one time have no order of their own in a shuffled run. */
const distinctTimes = (list: readonly Event[]): Event[] =>
  list.filter(({ at, key }, i) => list.findIndex((other) => other.at === at && other.key === key) === i);

it('finds what each version of a rule would find alone while it is valid, whatever comes first, at any parallelism', () => {
  fc.assert(
    fc.property(events, changes, order, fc.integer({ min: 1, max: 3 }), (all, said, shuffle, parallelism) => {
      const list = distinctTimes(all);
      const h = harness(pipeline, { run: { parallelism } });
      script(list, said, shuffle)(h);
      expect(h.drain('found').map(line).toSorted()).toEqual(expected(list, said));
    }),
    { numRuns: 12 * RUNS },
  );
});

it('goes on after every checkpoint', () => {
  fc.assert(
    fc.property(events, changes, order, fc.integer({ min: 1, max: 2 }), (all, said, shuffle, parallelism) => {
      const list = distinctTimes(all);
      const outputs = everyCheckpoint(pipeline, script(list, said, shuffle), { run: { parallelism } });
      expect(outputs.found.map(line).toSorted()).toEqual(expected(list, said));
    }),
    { numRuns: RUNS },
  );
});

it('finds the same in batch mode', () => {
  fc.assert(
    fc.property(events, changes, order, (all, said, shuffle) => {
      const list = distinctTimes(all);
      const h = harness(pipeline, { run: { mode: 'batch' } });
      for (const change of said) h.push('changes', change, change.at);
      for (const [, event] of list.map((event, i) => [shuffle[i]!, event] as const).toSorted((a, b) => a[0] - b[0]))
        h.push('events', event, event.at);
      h.end();
      expect(h.drain('found').map(line).toSorted()).toEqual(expected(list, said));
    }),
    { numRuns: 6 * RUNS },
  );
});

const pair = { version: 1, sequence: { within: 1000, steps: [begin('A'), then('followedBy', 'B')] } };
const event = (type: string, at: number): Event => ({ key: 'x', type, at, id: at });

it('holds events back until the rules have come as far, and lets them go when that stream is idle', () => {
  const h = harness(pipeline).push('changes', { type: 'add', rule: 'r', version: 1, pattern: pair, at: 0 }, 0);
  h.push('events', event('A', 10), 10).push('events', event('B', 20), 20).watermark(50, 'events').watermark(5, 'changes');
  expect(h.drain('found')).toEqual([]);
  h.idle('changes');
  expect(h.drain('found').map(line)).toEqual(['r1 [[10],[20]]']);
});

it.each([
  ['drain', ['r1 [[10],[20]]', 'r2 [[16],[20]]']],
  ['discard', ['r2 [[16],[20]]']],
] as const)('%ss the runs of the version before, as a change says', (runs, lines) => {
  const outputs = everyCheckpoint(pipeline, (h) =>
    h
      .push('changes', { type: 'add', rule: 'r', version: 1, pattern: pair, at: 0 }, 0)
      .push('events', event('A', 10), 10)
      .watermark(12)
      .push('changes', { type: 'update', rule: 'r', version: 2, pattern: pair, at: 15, runs }, 15)
      .push('events', event('A', 16), 16)
      .push('events', event('B', 20), 20)
      .end(),
  );
  expect(outputs.found.map(line).toSorted()).toEqual(lines);
});

it('lets go of the runs of a rule that is removed, also for keys that see no event any more', () => {
  const endless = { version: 1, sequence: { steps: [begin('A'), then('followedBy', 'B')] } };
  const h = harness(pipeline);
  const empty = h.snapshot().bytes.length;
  h.push('changes', { type: 'add', rule: 'r', version: 1, pattern: endless, at: 0 }, 0).watermark(5);
  const before = h.snapshot().bytes.length;
  for (const key of ['k', 'l', 'm']) h.push('events', { key, type: 'A', id: 1, at: 10 }, 10);
  h.watermark(20);
  expect(h.snapshot().bytes.length).toBeGreaterThan(before + 100);
  h.push('changes', { type: 'remove', rule: 'r', version: 2, at: 30 }, 30).watermark(40);
  expect(h.snapshot().bytes.length).toBeLessThan(before + 100);
  expect(before).toBeGreaterThan(empty);
});

it('forgets what was said of rules when it is over', () => {
  const h = harness(pipeline);
  const sizes: number[] = [];
  for (let version = 1; version <= 60; version++) {
    h.push('changes', { type: version === 1 ? 'add' : 'update', rule: 'r', version, pattern: pair, at: version }, version).watermark(
      2000 * version - 1,
    );
    h.push('events', event('A', 2000 * version), 2000 * version);
    h.watermark(2000 * version + 1);
    sizes.push(h.snapshot().bytes.length);
  }
  expect(sizes[59]).toBeLessThan(sizes[5]! * 1.5);
});

it('ends a rule where it is removed, and brings it back with a later version', () => {
  const outputs = everyCheckpoint(pipeline, (h) =>
    h
      .push('changes', { type: 'add', rule: 'r', version: 3, pattern: pair, at: 25 }, 25)
      .push('changes', { type: 'remove', rule: 'r', version: 2, at: 15 }, 15)
      .push('changes', { type: 'add', rule: 'r', version: 1, pattern: pair, until: 12, at: 5 }, 5)
      .push('events', event('A', 10), 10)
      .push('events', event('A', 12), 12)
      .push('events', event('B', 14), 14)
      .push('events', event('A', 20), 20)
      .push('events', event('A', 30), 30)
      .push('events', event('B', 40), 40)
      .end(),
  );
  expect(outputs.found.map(line)).toEqual(['r1 [[10],[14]]', 'r3 [[30],[40]]']);
});

it('tells of changes that come too late, which are valid from then on', () => {
  const late = ({ events: stream, changes: rules }: { events: DataStream<Event>; changes: DataStream<RuleChange> }) => {
    const found = stream.keyBy(({ key }) => key).pipe(detectAll(rules, { uid: 'rules' }));
    return { found, lateRules: found.side('lateRules'), late: found.side('late') };
  };
  const add: RuleChange = { type: 'add', rule: 'r', version: 1, pattern: pair };
  const h = harness(late).push('events', event('A', 10), 10).watermark(50).push('changes', add, 20).push('events', event('A', 40), 40);
  h.push('events', event('A', 60), 60).push('events', event('B', 70), 70).watermark(100);
  expect(h.drain('lateRules')).toEqual([add]);
  expect(h.drain('late')).toEqual([event('A', 40)]);
  expect(h.drain('found').map(line)).toEqual(['r1 [[60],[70]]']);
});

it('takes a fixed list of rules, and refuses what cannot work with the path to it', () => {
  const fixed = ({ events: stream }: { events: DataStream<Event> }) => ({
    found: stream
      .keyBy(({ key }) => key)
      .pipe(
        detectAll<Event, string>([
          { rule: 'built', version: 3, pattern: fromJSON<Event>(pair) },
          { rule: 'json', version: 1, pattern: pair as { version: 1; sequence: unknown } },
        ]),
      ),
  });
  const outputs = everyCheckpoint(fixed, (h) => h.push('events', event('A', 10), 10).push('events', event('B', 20), 20).end());
  expect(outputs.found.map(line).toSorted()).toEqual(['built3 [[10],[20]]', 'json1 [[10],[20]]']);
  const wrong = {
    version: 1 as const,
    sequence: { steps: [{ kind: 'event', link: 'begin', name: 'a', where: { expression: { '<': [1] } } }] },
  };
  expect(() => detectAll([{ rule: 'r', version: 1, pattern: wrong }])).toThrow(/rule "r".*steps\[0\]\.where\.expression\["<"\]/);
});

it('asks what many rules have in common once per event', () => {
  let asked = 0;
  const counted = (events: number) => {
    asked = 0;
    const rules = Array.from({ length: 20 }, (_, i) => ({
      rule: `r${i}`,
      version: 1,
      pattern: {
        version: 1 as const,
        sequence: { steps: [{ kind: 'event', link: 'begin', name: 'a', where: is('A') }, then('followedBy', `B${i}`)] },
      },
    }));
    const h = harness(({ events: stream }: { events: DataStream<Event> }) => ({
      found: stream.keyBy(({ key }) => key).pipe(detectAll<Event, string>(rules)),
    }));
    const watched = {
      key: 'x',
      id: 1,
      at: 1,
      get type() {
        asked++;
        return 'A';
      },
    };
    for (let i = 0; i < events; i++) h.push('events', watched, 1 + i);
    h.watermark(1000);
    return asked;
  };
  // The index reads the field once, the one predicate that is found by it once more.
  expect(counted(10)).toBe(20);
});
