import {
  avg,
  aggregatingState,
  type CheckpointStorage,
  count,
  defineSource,
  forEach,
  type Job,
  listState,
  mapState,
  reducingState,
  type RunOptions,
  type Source,
  StreamEnvironment,
  sum,
  tumbling,
  valueState,
} from '../../src/index.ts';

/** A piece of input. */
export interface Item {
  readonly key: string;
  readonly n: number;
}

/** Where the input waits until somebody lets it go on. */
interface Pause {
  readonly at: number;
  readonly over: Promise<void>;
}

/** Gives items, and then nothing more until it is stopped, or ends. */
function items(given: readonly Item[], ends: boolean, pause?: Pause): Source<Item> {
  return defineSource<Item, number>({
    name: 'items',
    bounded: ends,
    open: () => ({
      splits: async () => ['all'],
      async *read(_split, from = 0, { signal }) {
        for (let at = from; at < given.length; at++) {
          if (at === pause?.at) await pause.over;
          yield { values: [given[at]!], position: at + 1 };
        }
        if (!ends) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    }),
  });
}

/** A job that remembers something in every way there is. What it says of each item depends on all before it. */
function build(env: StreamEnvironment, given: readonly Item[], ends: boolean, say: (line: string) => void, pause?: Pause): void {
  const keyed = env.from(items(given, ends, pause), { uid: 'items', time: { timestamp: ({ n }) => n } }).keyBy(({ key }) => key);
  const remembered = keyed.process({
    uid: 'remember',
    state: {
      last: valueState<number>(),
      all: listState<number>(),
      by: mapState<string, number>(),
      most: reducingState<number>({ reduce: Math.max }),
      mean: aggregatingState({ aggregate: avg((n: number) => n) }),
      fresh: valueState<number>({ ttl: { days: 100_000 } }),
    },
    timers: { end: 'eventTime' },
    onElement({ key, n }, { state, timers }) {
      const { last, all, by, most, mean, fresh } = state;
      const before = last.value();
      last.update(n);
      fresh.update(n);
      all.add(n);
      by.put(n % 2 === 0 ? 'even' : 'odd', n);
      most.add(n);
      mean.add(n);
      timers.set('end', 1e12);
      return [`${key}: ${before} [${[...all.get()].join()}] {${[...by.entries()].join(';')}} ${most.get()} ${mean.get()} ${fresh.value()}`];
    },
    onTimer: (_timer, { key, state }) => [`${key} ends with ${state.last.value()}`],
  });
  remembered.sinkTo(forEach(say), { uid: 'remembered' });
  keyed
    .aggregate({ n: count(), total: sum(({ n }) => n) }, { uid: 'totals' })
    .map(({ key, value }) => `${key} in all: ${value.n} ${value.total}`)
    .sinkTo(forEach(say), { uid: 'told' });
  keyed
    .window(tumbling({ seconds: 100 }))
    .aggregate({ n: count() }, { uid: 'windows' })
    .map(({ key, value }) => `${key} in the window: ${value.n}`)
    .sinkTo(forEach(say), { uid: 'windowed' });
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** The job, with all of its input read. It waits for nothing but to be stopped. `between`: what is done when half of the input has been read. */
export async function startTally(given: readonly Item[], options: RunOptions, between?: (job: Job) => Promise<unknown>): Promise<Job> {
  const env = new StreamEnvironment();
  const half = Math.floor(given.length / 2);
  let said = 0;
  let isHalf: () => void = () => undefined;
  let isAll: () => void = () => undefined;
  let goOnReading: () => void = () => undefined;
  const halfRead = new Promise<void>((resolve) => (isHalf = resolve));
  const allRead = new Promise<void>((resolve) => (isAll = resolve));
  const pause = { at: half, over: new Promise<void>((resolve) => (goOnReading = resolve)) };
  const say = (): void => {
    said++;
    if (said === half * 2) isHalf();
    if (said === given.length * 2) isAll();
  };
  build(env, given, false, say, pause);
  const job = await env.start('tally', { logger: SILENT, ...options });
  if (half > 0) await Promise.race([halfRead, job.finished]);
  await between?.(job);
  goOnReading();
  await Promise.race([allRead, job.finished]);
  return job;
}

/** What the job says from its latest checkpoint on, sorted; `from` names another location. */
export async function goOn(
  given: readonly Item[],
  storage: CheckpointStorage,
  options: RunOptions = {},
  name = 'tally',
): Promise<string[]> {
  const env = new StreamEnvironment();
  const said: string[] = [];
  build(env, given, true, (line) => void said.push(line));
  await env.execute(name, { logger: SILENT, checkpoint: { storage }, restore: 'latest', ...options });
  return said.sort();
}
