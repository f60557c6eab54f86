import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CutWriter } from '../../src/checkpoint/cutWriter.ts';
import { readKeyedSegment } from '../../src/checkpoint/keyedSegment.ts';
import type { KeyedBackend, StateEntry } from '../../src/state/backend.ts';
import { type Key, keyText } from '../../src/state/key.ts';
import { MemoryBackend } from '../../src/state/memoryBackend.ts';
import { MemoryShare } from '../../src/state/memoryShare.ts';
import { PagedBackend } from '../../src/state/pagedBackend.ts';
import type { KeyedCut } from '../../src/state/recordSink.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { MapStore } from './mapStore.ts';
import { DEEDS, openStates, type OpenStates, passTime, shown, StateModel } from './stateModel.ts';

const KEYS: readonly Key[] = ['a', 'b', 'ü\ud800', '', 1, -7, 2.5, 10n, true, ['a', 1], ['a'], [['a'], false]];

type BackendKind = 'memory' | 'paged without memory' | 'paged with little memory' | 'paged with enough memory';
const MEMORY = { 'paged without memory': 0, 'paged with little memory': 1500, 'paged with enough memory': 1e9 } as const;

function makeBackend(kind: BackendKind, clock: ManualClock): KeyedBackend {
  if (kind === 'memory') return new MemoryBackend(clock);
  const store = new MapStore();
  const backpressure = {
    block: () => undefined,
    unblock: () => undefined,
    placed: (error: unknown) => error,
    fail: (error: unknown) => expect.unreachable(String(error)),
  };
  const parts = {
    clock,
    store: () => store,
    number: 300,
    maxParallelism: 8,
    share: new MemoryShare(MEMORY[kind]),
    backpressure,
    batch: 200,
  };
  const backend = new PagedBackend(parts);
  backend.listKeys();
  return backend;
}

interface Running {
  readonly cut: KeyedCut;
  readonly writer: CutWriter;
  readonly apart: boolean;
  readonly expected: StateModel;
}

/** A backend beside its model, with what checkpoints have of it. */
class Subject {
  readonly clock = new ManualClock();
  readonly model = new StateModel();
  states: OpenStates;
  private chain: Uint8Array[] = [];
  private running: Running | undefined;
  private n = 0;

  constructor(kind: BackendKind) {
    this.states = openStates(makeBackend(kind, this.clock));
    this.states.backend.track();
  }

  do(deed: string, key: Key): void {
    this.n++;
    this.states.backend.enter(key);
    DEEDS[deed]!(this.states, this.model, key, this.n);
  }

  passTime(by: number): void {
    // What expires while a cut is written may or may not be in it.
    if (this.running === undefined) passTime(this.clock, this.model, by);
  }

  /** Everything due at `now` fires, in order. */
  fire(now: number): void {
    const { timers, backend } = this.states;
    for (const name of ['event', 'other', 'processing']) void name;
    for (;;) {
      const expected = this.model.timers.filter((timer) => timer.name !== 'processing' && timer.at <= now).sort((a, b) => a.at - b.at)[0];
      expect(timers.earliest('eventTime') <= now).toBe(expected !== undefined);
      const popped = timers.popDue('eventTime', now);
      if (expected === undefined) return expect(popped).toBe(false);
      expect([keyText(backend.key), timers.dueName, timers.dueTime]).toEqual([keyText(expected.key), expected.name, expected.at]);
      this.model.timers.splice(this.model.timers.indexOf(expected), 1);
    }
  }

  async begin(whole: boolean, apart: boolean): Promise<void> {
    await this.finish();
    const writer = new CutWriter((state) => this.states.backend.formOf(state));
    const cut = this.states.backend.cut(writer, { whole: whole || apart || this.chain.length === 0, apart });
    this.running = { cut, writer, apart, expected: this.model.copy() };
  }

  async step(records: number): Promise<void> {
    if (this.running?.cut.step(records) === true) await this.running.cut.fetching;
  }

  abandon(): void {
    this.running?.cut.abandon();
    this.running = undefined;
  }

  /** Lets the running cut come to its end and compares what checkpoints hold then with what there was. */
  async finish(): Promise<void> {
    if (this.running === undefined) return;
    const { cut, writer, apart, expected } = this.running;
    this.running = undefined;
    while (cut.step(2)) await cut.fetching;
    const segments = writer.finishAll();
    if (!apart) this.chain = cut.whole ? segments : [...this.chain, ...segments];
    expectSame(await restored('memory', apart || cut.whole ? segments : this.chain, this.clock), expected);
  }

  /** Goes on with another backend from all that there is. */
  async move(kind: BackendKind): Promise<void> {
    await this.begin(false, false);
    await this.finish();
    this.states = await restored(kind, this.chain, this.clock);
    this.states.backend.track();
    this.chain = [];
  }
}

/** A backend with what segments say: of each key, the last record. */
async function restored(kind: BackendKind, segments: readonly Uint8Array[], clock: ManualClock): Promise<OpenStates> {
  const newest = new Map<string, readonly StateEntry[]>();
  for (const [i, segment] of segments.entries()) {
    for (const { key, entries } of readKeyedSegment(segment)) {
      if (i === 0) expect(newest.has(keyText(key))).toBe(false);
      newest.set(
        keyText(key),
        entries.map((entry) => ({ ...entry, key })),
      );
    }
  }
  const states = openStates(makeBackend(kind, clock));
  for (const entry of [...newest.values()].flat()) {
    states.backend.restore(entry);
    await states.backend.settling?.();
  }
  return states;
}

function expectSame(states: OpenStates, model: StateModel): void {
  // Reading renews: the model must not notice.
  const before = model.copy();
  for (const key of KEYS) {
    states.backend.enter(key);
    expect(shown(states)).toEqual(before.contents(key));
  }
  const timers = [...states.backend.entries()].filter(({ state }) => state === '(timers)');
  const times = timers.flatMap(({ key, userKey, value }) =>
    (value as { times: readonly number[] }).times.map((at) => [keyText(key), userKey, at]),
  );
  expect(times.map(String).sort()).toEqual(model.timers.map(({ key, name, at }) => String([keyText(key), name, at])).sort());
}

const kinds = fc.constantFrom<BackendKind>('memory', 'paged without memory', 'paged with little memory', 'paged with enough memory');
const step = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ kind: fc.constant('do' as const), deed: fc.constantFrom(...Object.keys(DEEDS)), key: fc.constantFrom(...KEYS) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), by: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fire' as const), now: fc.nat(7) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('step' as const), records: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cut' as const), whole: fc.boolean(), apart: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abandon' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), to: kinds }) },
);

describe.each<BackendKind>(['memory', 'paged without memory', 'paged with little memory', 'paged with enough memory'])(
  'backend contract: %s',
  (kind) => {
    test('whatever is done, state is that of the model, and so is what checkpoints hold of it', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 150, size: 'max' }), async (steps) => {
          const subject = new Subject(kind);
          for (const each of steps) {
            if (each.kind === 'do') subject.do(each.deed, each.key);
            else if (each.kind === 'time') subject.passTime(each.by);
            else if (each.kind === 'fire') subject.fire(each.now);
            else if (each.kind === 'step') await subject.step(each.records);
            else if (each.kind === 'turn') await new Promise<void>((resolve) => setImmediate(resolve));
            else if (each.kind === 'cut') await subject.begin(each.whole, each.apart);
            else if (each.kind === 'abandon') subject.abandon();
            else await subject.move(each.to);
          }
          await subject.finish();
          expectSame(subject.states, subject.model);
        }),
        { numRuns: 80 },
      );
    });
  },
);
