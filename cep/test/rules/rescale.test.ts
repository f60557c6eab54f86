import { type CheckpointStorage, forEach, memoryStorage, StreamEnvironment } from '@millrace/core';
import { hang, testSource } from '@millrace/core/testing';
import { expect, it } from 'vitest';
import { detectAll, type RuleChange } from '../../src/index.ts';

interface Event {
  readonly key: string;
  readonly type: string;
  readonly at: number;
}

const is = (type: string) => ({ expression: { '==': [{ field: 'type' }, type] } });
const pair = (second: string): unknown => ({
  version: 1,
  sequence: {
    steps: [
      { kind: 'event', link: 'begin', name: 'a', where: is('A') },
      { kind: 'event', link: 'followedBy', name: 'b', where: is(second) },
    ],
  },
});

interface Said {
  readonly at: number;
  readonly change: RuleChange;
}

/** Runs until `results` matches have come, then stops with a savepoint. */
async function run(
  {
    events,
    said,
    results,
    parallelism,
  }: { readonly events: Event[]; readonly said: Said[]; readonly results: number; readonly parallelism: number },
  before?: CheckpointStorage,
): Promise<{ readonly seen: readonly string[]; readonly savepoint: CheckpointStorage }> {
  const env = new StreamEnvironment();
  const seen: string[] = [];
  let all = (): void => undefined;
  const enough = new Promise<void>((resolve) => (all = resolve));
  const name = `at-${events[0]!.at}`;
  const time = <T extends { readonly at: number }>() => ({ timestamp: ({ at }: T) => at });
  const rules = env.from(testSource<Said>(said), { uid: `rules-${name}`, time: time<Said>() }).map(({ change }) => change);
  env
    .from(testSource<Event>([...events, hang()]), { uid: `events-${name}`, time: time<Event>() })
    .keyBy(({ key }) => key)
    .pipe(detectAll(rules, { uid: 'detect', parallelism }))
    .sinkTo(
      forEach(({ rule, version, key, start, end }) => void (seen.push(`${rule}${version} ${key} ${start}-${end}`) === results && all())),
      { uid: 'results', parallelism: 1 },
    );
  const restore = before && { savepoint: before, allowNonRestoredState: true };
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const job = await env.start('rules', { checkpoint: { storage: memoryStorage() }, logger, ...(restore && { restore }) });
  await Promise.race([enough, job.finished]);
  const savepoint = memoryStorage();
  await job.stop({ savepoint });
  return { seen: seen.toSorted(), savepoint };
}

it('goes on with its rules and their runs after a savepoint, at another parallelism', async () => {
  const keys = ['k', 'l', 'm', 'n', 'o', 'p'];
  const events = [
    ...keys.map((key) => ({ key, type: 'A', at: 10 })),
    { key: 'z', type: 'A', at: 20 },
    { key: 'z', type: 'B', at: 30 },
    { key: 'z', type: 'X', at: 40 },
  ];
  const said: Said[] = [
    { at: 0, change: { type: 'add', rule: 'r', version: 1, pattern: pair('B') } },
    { at: 1, change: { type: 'add', rule: 's', version: 1, pattern: pair('C') } },
    { at: 2, change: { type: 'remove', rule: 's', version: 2, from: 70 } },
  ];
  const first = await run({ events, said, results: 1, parallelism: 1 });
  expect(first.seen).toEqual(['r1 z 20-30']);
  const later = [
    ...keys.map((key) => ({ key, type: 'B', at: 50 })),
    { key: 'k', type: 'C', at: 60 },
    { key: 'l', type: 'C', at: 70 },
    { key: 'z', type: 'X', at: 90 },
  ];
  const second = await run({ events: later, said: [], results: 7, parallelism: 3 }, first.savepoint);
  expect(second.seen).toEqual([...keys.map((key) => `r1 ${key} 10-50`), 's1 k 10-60']);
});
