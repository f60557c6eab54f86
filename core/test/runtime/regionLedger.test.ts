import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chainsBefore, regionsOf } from '../../src/graph/regions.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { forEach, generator, StreamEnvironment } from '../../src/index.ts';
import type { FinishedRegions } from '../../src/runtime/finishedRegions.ts';
import { RegionLedger, type ResultStore } from '../../src/runtime/regionLedger.ts';
import { partitionsOf } from '../../src/runtime/wiring.ts';
import type { StoredRecords } from '../../src/state/recordSorter.ts';

/** Regions in a row, beside each other, and with a sink in the midst. */
function plan(): Plan {
  const env = new StreamEnvironment({ parallelism: 2 });
  const numbers = env.from(generator({ count: 1, create: (i) => i }));
  const keyed = (of: typeof numbers): typeof numbers =>
    of.keyBy((n) => n).process({ state: {}, onElement: (n: number) => [n] }) as typeof numbers;
  const left = keyed(keyed(numbers));
  const right = keyed(env.from(generator({ count: 1, create: (i) => i })));
  right.sinkTo(forEach(() => undefined));
  const both = left
    .keyBy((n) => n)
    .connect(keyed(right).keyBy((n) => n))
    .process({ state: {}, onLeft: (n: number) => [n], onRight: (n: number) => [n] });
  both.rescale().sinkTo(forEach(() => undefined));
  return env.plan({ mode: 'batch' });
}

const PLAN = plan();
const REGIONS = regionsOf(PLAN);
const EXCHANGES = partitionsOf(PLAN);
const SUBTASKS = PLAN.chains.flatMap(({ id, parallelism }) => Array.from({ length: parallelism }, (_, subtask) => [id, subtask] as const));

function named(name: string, attempt: number): StoredRecords {
  return { files: [{ name: `${attempt} ${name}`, length: 0, checksum: 0 }], shapes: [] };
}

const nameOf = ({ files }: StoredRecords): string => files[0]!.name;

/** Files that are dropped once, and none that is needed. */
class FakeStore implements ResultStore {
  readonly damaged = new Set<string>();
  readonly dropped: string[] = [];

  async isWhole(records: StoredRecords): Promise<boolean> {
    return !this.damaged.has(nameOf(records));
  }

  drop(records: StoredRecords): void {
    this.dropped.push(nameOf(records));
  }

  async retain(): Promise<void> {}

  damage(records: StoredRecords | undefined): void {
    if (records !== undefined) this.damaged.add(nameOf(records));
  }

  /** Whether it was there, and is as it was. */
  has(records: StoredRecords | undefined): boolean {
    return records !== undefined && !this.damaged.has(nameOf(records));
  }
}

function needed(finished: ReadonlySet<number>): readonly string[] {
  return EXCHANGES.filter(({ from, to }) => finished.has(from) && !finished.has(to)).map(({ name }) => name);
}

function hasSink(region: readonly number[]): boolean {
  return region.some((id) => PLAN.chains[id]!.nodes.some((node) => PLAN.graph.nodes[node]!.kind === 'sink'));
}

/** Of all sets of regions that may be left as they are the largest, found by trying all. */
function largest(isOver: (chain: number) => boolean, isThere: (name: string) => boolean): ReadonlySet<number> {
  let best = new Set<number>();
  for (let bits = 0; bits < 2 ** REGIONS.length; bits++) {
    const chosen = REGIONS.filter((_, i) => (bits & (1 << i)) !== 0);
    const chains = new Set(chosen.flat());
    const isSound =
      chosen.every(
        (region) => region.every(isOver) && !hasSink(region) && [...chainsBefore(PLAN, region)].every((chain) => chains.has(chain)),
      ) && needed(chains).every(isThere);
    if (isSound && chains.size > best.size) best = chains;
  }
  return best;
}

/** What happens in an attempt: most subtasks come to their ends; some partitions are not told of, files of some are damaged later. */
const happenings = fc.record({
  over: fc.subarray(SUBTASKS, { minLength: SUBTASKS.length - 3 }),
  untold: fc.subarray(
    EXCHANGES.map(({ name }) => name),
    { maxLength: 2 },
  ),
  damaged: fc.subarray(
    EXCHANGES.map(({ name }) => name),
    { maxLength: 2 },
  ),
});

type Happenings = typeof happenings extends fc.Arbitrary<infer T> ? T : never;

/** An attempt, and what is known of it without a ledger. */
class Attempt {
  readonly made: string[] = [];
  readonly over: Map<number, number>;
  readonly results: Map<string, StoredRecords>;
  private readonly number: number;
  private readonly before: FinishedRegions | undefined;

  constructor(number: number, before: FinishedRegions | undefined) {
    this.number = number;
    this.before = before;
    this.over = new Map(PLAN.chains.map(({ id, parallelism }) => [id, this.wasFinished(id) ? parallelism : 0]));
    this.results = new Map(Object.entries(before?.results ?? {}) as [string, StoredRecords][]);
  }

  run(ledger: RegionLedger, { over, untold }: Happenings): void {
    // Producers come before their consumers, which end behind them.
    for (const [chain, subtask] of over) {
      if (this.wasFinished(chain) || ![...chainsBefore(PLAN, [chain])].every((before) => this.isOver(before))) continue;
      this.over.set(chain, this.over.get(chain)! + 1);
      ledger.onOver(chain, subtask, []);
      if (!this.isOver(chain)) continue;
      const complete = EXCHANGES.filter(({ name, from, to }) => from === chain && !untold.includes(name) && !this.wasFinished(to));
      for (const { name } of complete) this.tell(ledger, name);
    }
  }

  isOver(chain: number): boolean {
    return this.over.get(chain) === PLAN.chains[chain]!.parallelism;
  }

  /** Whether something that was told is needed at all: not by a region that is over and whose own results are there. */
  isNeeded(name: string): boolean {
    const region = REGIONS.find((chains) => chains.includes(EXCHANGES.find((exchange) => exchange.name === name)!.to))!;
    const sent = EXCHANGES.filter(({ from }) => region.includes(from));
    return !region.every((chain) => this.isOver(chain)) || hasSink(region) || !sent.every((exchange) => this.results.has(exchange.name));
  }

  private tell(ledger: RegionLedger, name: string): void {
    const records = named(name, this.number);
    this.made.push(nameOf(records));
    this.results.set(name, records);
    ledger.onResult(name, records);
  }

  private wasFinished(chain: number): boolean {
    return this.before?.chains.includes(chain) === true;
  }
}

describe('what a failed attempt leaves', () => {
  test('is as much as may be left, and all else is dropped, over several attempts', async () => {
    let left = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(happenings, { minLength: 1, maxLength: 4 }), async (attempts) => {
        const store = new FakeStore();
        const made: string[] = [];
        let before: FinishedRegions | undefined;
        for (const [number, happening] of attempts.entries()) {
          const ledger = new RegionLedger(PLAN, before, store);
          const attempt = new Attempt(number, before);
          attempt.run(ledger, happening);
          made.push(...attempt.made);
          for (const name of happening.damaged) store.damage(attempt.results.get(name));
          const expected = largest(
            (chain) => attempt.isOver(chain),
            (name) => attempt.isNeeded(name) && store.has(attempt.results.get(name)),
          );
          before = await ledger.leave();
          left += before.chains.length;
          expect([...before.chains].sort((a, b) => a - b)).toEqual([...expected].sort((a, b) => a - b));
          expect(Object.keys(before.results).sort()).toEqual([...needed(expected)].sort());
        }
        const kept = Object.values(before!.results).map((records) => nameOf(records as StoredRecords));
        expect([...store.dropped, ...kept].sort()).toEqual([...made].sort());
      }),
      { numRuns: 300 },
    );
    expect(left).toBeGreaterThan(100);
  });

  test('tells once what operators of finished regions did, whichever attempt it was in', async () => {
    const report = (uid: string, recordsIn: number) => ({ uid, recordsIn }) as never;
    const [first] = PLAN.chains;
    const uid = PLAN.graph.nodes[first!.nodes[0]!]!.uid;
    const store = new FakeStore();
    const ledger = new RegionLedger(PLAN, undefined, store);
    for (const subtask of [0, 1]) ledger.onOver(first!.id, subtask, [report(uid, 5 + subtask)]);
    for (const { name, from } of EXCHANGES) if (from === first!.id) ledger.onResult(name, named(name, 0));
    const left = await ledger.leave();
    expect(left.reports).toEqual([report(uid, 5), report(uid, 6)]);
    expect((await new RegionLedger(PLAN, left, store).leave()).reports).toEqual(left.reports);
    // Lost: it runs again, and what it did then counts.
    for (const name of Object.keys(left.results)) store.damaged.add(`0 ${name}`);
    expect((await new RegionLedger(PLAN, left, store).leave()).reports).toEqual([]);
  });
});
