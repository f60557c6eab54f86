import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CutWriter } from '../../src/checkpoint/cutWriter.ts';
import { readKeyedSegment } from '../../src/checkpoint/keyedSegment.ts';
import { aggregate, aggregatingState, count, listState, mapState, sum, valueState } from '../../src/index.ts';
import type { AggregateState, StateEntry } from '../../src/state/backend.ts';
import type { AggregatingState, ListState, MapState, ValueState } from '../../src/state/descriptor.ts';
import { keyText } from '../../src/state/key.ts';
import type { KeyedTimers } from '../../src/state/keyedTimers.ts';
import { MemoryBackend } from '../../src/state/memoryBackend.ts';
import type { KeyedCut } from '../../src/state/recordSink.ts';
import { encodeSelfContained } from '../../src/state/selfContained.ts';
import { ManualClock } from '../../src/time/manualClock.ts';

const TIME_TO_LIVE = 50;

/** A backend with state of every kind, and what can be done to it. */
class Subject {
  readonly clock = new ManualClock();
  readonly backend = new MemoryBackend(this.clock);
  private readonly value = this.backend.open<ValueState<number | undefined>>('value', valueState<number>());
  private readonly passing = this.backend.open<ValueState<number>>(
    'passing',
    valueState({ initial: 0, ttl: { after: { milliseconds: TIME_TO_LIVE }, update: 'onReadAndWrite' } }),
  );
  private readonly list = this.backend.open<ListState<number>>('list', listState<number>());
  private readonly map = this.backend.open<MapState<string, number>>('map', mapState<string, number>());
  // An accumulator that is changed in place, and no copy of it is made anywhere.
  private readonly set = this.backend.open<AggregatingState<number, number>>(
    'set',
    aggregatingState({
      aggregate: aggregate({
        create: () => new Set<number>(),
        add: (seen, n: number) => seen.add(n),
        merge: (a, b) => new Set([...a, ...b]),
        result: (seen) => seen.size,
      }),
    }),
  );
  private readonly totals: AggregateState = this.backend.openAggregates('totals', { n: count(), s: sum((n: number) => n) } as never);
  private readonly timers: KeyedTimers = this.backend.openTimers({ t: 'eventTime', p: 'processingTime' }, () => undefined);
  private readonly frames = this.backend.openFrames('frames', { s: sum((n: number) => n) } as never);
  private readonly buffers = this.backend.openTimeBuffers<number>('buffers');
  private time = 0;

  do(what: number, key: string, n: number): void {
    this.backend.enter(key);
    const actions: (() => void)[] = [
      () => this.value.update(n),
      () => this.value.clear(),
      () => this.passing.update(n),
      () => void this.passing.value(),
      () => this.list.add(n),
      () => this.list.clear(),
      () => this.map.put(`u${n % 3}`, n),
      () => this.map.remove(`u${n % 3}`),
      () => this.set.add(n),
      () => this.totals.add(n),
      () => this.totals.clear(),
      () => this.timers.set(n % 2 === 0 ? 't' : 'p', n),
      () => this.timers.cancel('t'),
      () => void this.timers.popDue('eventTime', n),
      () => this.frames.slide(this.time - 5, ++this.time, n),
      () => this.buffers.claim().insert(n, n),
      () => void this.buffers.dropUntil(n),
      () => this.backend.clear(),
    ];
    actions[what % actions.length]!();
  }

  /** Everything held, as bytes per key. */
  content(): Map<string, string> {
    return content(this.backend.entries());
  }
}

/** Per key, its entries in no order, as text. */
function content(entries: Iterable<StateEntry>): Map<string, string> {
  const byKey = new Map<string, string[]>();
  for (const { key, ...entry } of entries) {
    const address = keyText(key);
    byKey.set(address, [...(byKey.get(address) ?? []), encodeSelfContained([entry.state, entry.userKey ?? null, entry.value]).join(',')]);
  }
  return new Map([...byKey].map(([key, list]) => [key, list.sort().join('\n')]));
}

/** The newest record of each key over a chain of segments. */
function stored(segments: readonly Uint8Array[]): StateEntry[] {
  const newest = new Map<string, StateEntry[]>();
  for (const segment of segments) {
    for (const { key, entries } of readKeyedSegment(segment))
      newest.set(
        keyText(key),
        entries.map((entry) => ({ ...entry, key })),
      );
  }
  return [...newest.values()].flat();
}

/** Less what has expired since it was written: a restore drops it, and a cut of changes does not know of it. */
function unexpired(entries: readonly StateEntry[], now: number): StateEntry[] {
  return entries.filter(({ renewed }) => typeof renewed !== 'number' || renewed + TIME_TO_LIVE > now);
}

const action = fc.record({ what: fc.nat(17), key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), n: fc.nat(20) });
const script = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('do' as const), action }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('step' as const), records: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), whole: fc.boolean(), apart: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('abandon' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), by: fc.nat(20) }) },
  ),
  { maxLength: 120, size: 'max' },
);

interface Running {
  readonly cut: KeyedCut;
  readonly writer: CutWriter;
  readonly apart: boolean;
  readonly expected: Map<string, string>;
}

describe('cuts of keyed state', () => {
  test('hold what was there at their moment, however the state changes while they are written', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const subject = new Subject();
        subject.backend.track();
        let chain: Uint8Array[] = [];
        let running: Running | undefined;
        const finish = (): void => {
          if (running === undefined) return;
          while (running.cut.step(2));
          const segments = running.writer.finishAll();
          if (running.apart) expect(content(unexpired(stored(segments), subject.clock.now()))).toEqual(running.expected);
          else {
            chain = running.cut.whole ? segments : [...chain, ...segments];
            expect(content(unexpired(stored(chain), subject.clock.now()))).toEqual(running.expected);
          }
          running = undefined;
        };
        for (const step of steps) {
          if (step.kind === 'do') subject.do(step.action.what, step.action.key, step.action.n);
          else if (step.kind === 'step') running?.cut.step(step.records);
          else if (step.kind === 'time') {
            // The clock is not part of a cut: what expires while it is written may be missing.
            finish();
            subject.clock.advanceTo(subject.clock.now() + step.by);
          } else if (step.kind === 'abandon') {
            running?.cut.abandon();
            running = undefined;
          } else {
            finish();
            const writer = new CutWriter();
            const whole = step.whole || step.apart || chain.length === 0;
            const expected = subject.content();
            running = { cut: subject.backend.cut(writer, { whole, apart: step.apart }), writer, apart: step.apart, expected };
          }
        }
        finish();
      }),
      { numRuns: 400 },
    );
  });

  test('a key that comes and goes between two cuts leaves no trace', () => {
    const subject = new Subject();
    subject.backend.track();
    const first = new CutWriter();
    while (subject.backend.cut(first, { whole: true, apart: false }).step(100));
    subject.do(0, 'a', 1);
    subject.do(1, 'a', 1);
    const second = new CutWriter();
    const cut = subject.backend.cut(second, { whole: false, apart: false });
    while (cut.step(100));
    expect(second.finishAll()).toEqual([]);
  });

  test('a change costs one record, however many keys there are', () => {
    const subject = new Subject();
    for (let i = 0; i < 5000; i++) subject.do(0, `k${i}`, i);
    subject.backend.track();
    const cutNow = (): number => {
      const writer = new CutWriter();
      const cut = subject.backend.cut(writer, { whole: false, apart: false });
      while (cut.step(1000));
      return writer.finishAll().flatMap((segment) => [...readKeyedSegment(segment)]).length;
    };
    expect(cutNow()).toBe(5000);
    expect(cutNow()).toBe(0);
    subject.do(0, 'k77', 1);
    expect(cutNow()).toBe(1);
  });
});
