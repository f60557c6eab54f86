import { type CheckpointStorage, forEach, memoryStorage, MillraceError, StreamEnvironment } from '@millrace/core';
import { hang, testSource } from '@millrace/core/testing';
import { type AnyStateMachine, assign, emit, setup } from 'xstate';
import { expect, it } from 'vitest';
import { statechart, type StatechartOptions } from '../../src/statechart.ts';

const first = setup({
  types: { context: {} as { n: number }, events: {} as { type: 'go' }, emitted: {} as { type: 'went'; n: number } },
}).createMachine({
  id: 'm',
  context: { n: 0 },
  initial: 'one',
  states: { one: { on: { go: 'two' } }, two: {} },
  on: {
    go: { actions: [assign({ n: ({ context }) => context.n + 1 }), emit(({ context }) => ({ type: 'went' as const, n: context.n }))] },
  },
});

/** `first` with another name for a state, and for what it counts. */
const second = setup({
  types: { context: {} as { count: number }, events: {} as { type: 'go' }, emitted: {} as { type: 'count'; count: number } },
}).createMachine({
  id: 'm',
  context: { count: 0 },
  initial: 'begun',
  states: { begun: {}, going: {} },
  on: {
    go: {
      actions: [
        assign({ count: ({ context }) => context.count + 1 }),
        emit(({ context }) => ({ type: 'count' as const, count: context.count })),
      ],
    },
  },
});

interface Version<M extends AnyStateMachine> extends Pick<StatechartOptions<string, M, undefined>, 'version' | 'migrate'> {
  readonly machine: M;
  readonly parallelism?: number;
}

/** Runs until `results` results have come, then stops with a savepoint. */
async function run<M extends AnyStateMachine>(
  keys: string[],
  results: number,
  { machine, parallelism = 1, ...version }: Version<M>,
  before?: CheckpointStorage,
): Promise<{ readonly seen: readonly unknown[]; readonly savepoint: CheckpointStorage }> {
  const env = new StreamEnvironment();
  const seen: unknown[] = [];
  let all = (): void => undefined;
  const enough = new Promise<void>((resolve) => (all = resolve));
  env
    .from(testSource([...keys, hang()]), { uid: `keys-${version.version}-${parallelism}` })
    .keyBy((key) => key)
    .pipe(
      statechart(machine as AnyStateMachine, {
        ...version,
        uid: 'm',
        event: () => ({ type: 'go' }),
        delays: 'processingTime',
        parallelism,
      }),
    )
    .sinkTo(
      forEach((result) => void (seen.push(result) === results && all())),
      { uid: 'results' },
    );
  const restore = before && { savepoint: before, allowNonRestoredState: true };
  const job = await env.start('versions', { checkpoint: { storage: memoryStorage() }, logger: SILENT, ...(restore && { restore }) });
  await Promise.race([enough, job.finished]);
  const savepoint = memoryStorage();
  await job.stop({ savepoint });
  return { seen, savepoint };
}

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

const codeOf = async (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => 'nothing',
    (error: unknown) => (error instanceof MillraceError ? error.code : error),
  );

it('goes on after a savepoint, at another parallelism', async () => {
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const { savepoint } = await run([...keys, ...keys], 7, { machine: first, version: 1 });
  const { seen } = await run(keys, 7, { machine: first, version: 1, parallelism: 3 }, savepoint);
  expect(seen).toEqual(keys.map(() => ({ type: 'went', n: 2 })));
});

it('reads older snapshots through migrate, once and for all', async () => {
  const { savepoint } = await run(['a', 'a'], 1, { machine: first, version: 1 });
  const versions: unknown[] = [];
  const migrate = (persisted: unknown, from: number) => {
    const { value, context } = persisted as { value: string; context: { n: number } };
    versions.push([value, from]);
    return second.resolveState({ value: 'going', context: { count: context.n } });
  };
  const migrated = await run(['a'], 1, { machine: second, version: 2, migrate }, savepoint);
  expect(migrated.seen).toEqual([{ type: 'count', count: 2 }]);
  expect(versions).toEqual([['two', 1]]);
  const { seen } = await run(['a'], 1, { machine: second, version: 2, parallelism: 2 }, migrated.savepoint);
  expect(seen).toEqual([{ type: 'count', count: 3 }]);
});

it('refuses snapshots of another version without migrate, and those that do not fit', async () => {
  const { savepoint } = await run(['a', 'a'], 1, { machine: first, version: 2 });
  expect(await codeOf(run(['a'], 1, { machine: second, version: 3 }, savepoint))).toBe('state/incompatible');
  expect(await codeOf(run(['a'], 1, { machine: second, version: 1 }, savepoint))).toBe('state/incompatible');
  expect(await codeOf(run(['a'], 1, { machine: second, version: 2 }, savepoint))).toBe('state/invalid');
  const nonsense = () => ({ status: 'active', value: 'nowhere' }) as never;
  expect(await codeOf(run(['a'], 1, { machine: second, version: 3, migrate: nonsense }, savepoint))).toBe('state/invalid');
});
