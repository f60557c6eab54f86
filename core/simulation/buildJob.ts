import { list, type Sink, type Source, type StreamEnvironment, session, tumbling, type WindowAssigner } from '@millrace/core';
import { Chance } from './chance.ts';
import { apart, byKey, type Flow, ms, type Workshop } from './flow.ts';
import type { Event, Item } from './item.ts';
import { type JobSpec, type SourceSpec, STEPS } from './jobSpec.ts';

/** What a random job is built from, beside its spec: the simulation's own sources and sinks, or files. */
export interface Surroundings {
  readonly source: (spec: SourceSpec) => Source<Event>;
  readonly sink: (name: string) => Sink<unknown>;
  readonly pause: () => Promise<void>;
  /** Called for each element of the sources: where failures on purpose come from. */
  readonly visit: (item: Item) => void;
  /** Says where the job's keyed operators have how many subtasks in this life; `undefined`: as the job. */
  readonly placement: number | undefined;
}

/** Builds a random job. */
export function buildJob(env: StreamEnvironment, spec: JobSpec, surroundings: Surroundings): void {
  const uneven = new Chance(spec.seed + 7 * (surroundings.placement ?? 0));
  const shop: Workshop = {
    env,
    pause: surroundings.pause,
    visit: () => undefined,
    parallelism: () => (spec.uneven && surroundings.placement !== undefined && uneven.flip(0.5) ? uneven.between(1, 4) : undefined),
    side: (name, stream, parallelism) =>
      stream.sinkTo(surroundings.sink(name), { uid: `to.${name}`, ...(parallelism !== undefined && { parallelism }) }),
  };
  const flows = spec.sources.map((source) => begin(env, source, surroundings));
  if (spec.judgement === 'exact') addSteps(spec, flows, shop, surroundings);
  else if (spec.judgement === 'accounting') addAccounting(spec, flows[0]!, shop, surroundings);
  else addScatter(flows[0]!, shop, surroundings);
}

function begin(env: StreamEnvironment, source: SourceSpec, { source: open, visit, sink }: Surroundings): Flow {
  const { uid, bound, single, ownKeys, waves } = source;
  const options = { uid, ...(single && { parallelism: 1 }) };
  const events = env.from(open(source), { ...options, time: { timestamp: ({ at }) => at, outOfOrder: ms(bound) } });
  if (source.refuses > 0) {
    const refused = events.side('rejected').map(({ place, code }) => ({ place, code }), { ...options, uid: `${uid}.refused` });
    refused.sinkTo(sink(`${uid}.refused`), { ...options, uid: `to.${uid}.refused` });
  }
  const stream = events.map(
    ({ id, key, n }) => {
      const item = { id, key, n };
      visit(item);
      return item;
    },
    { ...options, uid: `${uid}.item` },
  );
  const total = single && waves.length === 1 && waves[0] === 1;
  return { stream, ordered: ownKeys || total, total, timed: true, even: true, parallelism: single ? 1 : undefined };
}

function addSteps(spec: JobSpec, flows: Flow[], shop: Workshop, { sink }: Surroundings): void {
  if (spec.poisons) flows[0] = poisoned(flows[0]!, sink, shop.env);
  const isTaken = flows.map(() => false);
  for (const [at, { step, i, on, other }] of spec.steps.entries()) {
    const indexOf = (back: number): number => Math.max(0, flows.length - 1 - back);
    const parts = { uid: `${step}${at}`, i, other: flows[indexOf(other)]!, shop };
    const flow = flows[indexOf(on)]!;
    const next = STEPS[step]!(flow, parts) ?? STEPS['map']!(flow, { ...parts, uid: `map${at}` })!;
    isTaken[indexOf(on)] = true;
    flows.push(next);
    isTaken.push(false);
  }
  for (const [at, { stream, parallelism }] of flows.entries()) {
    if (!isTaken[at]) stream.sinkTo(sink(`out${at}`), { uid: `out${at}`, ...(parallelism !== undefined && { parallelism }) });
  }
}

/** Some items cannot be processed: they go to the dead letters. */
function poisoned(flow: Flow, sink: Surroundings['sink'], env: StreamEnvironment): Flow {
  env.deadLetterTo(sink('dead'));
  const stream = flow.stream.map(
    (item) => {
      if (item.n % 9 === 0) throw new Error('cannot be processed');
      return item;
    },
    { uid: 'poison', onError: 'deadLetter', ...(flow.parallelism !== undefined && { parallelism: flow.parallelism }) },
  );
  return { ...flow, stream };
}

/**
 * What else has to hold in what `addAccounting` writes: a window of fixed length fires once, and elements of a key and split stand in it in
 * their order. Sessions may overlap with those that have fired, and join their contents in any order.
 */
export function accountingOf({ seed }: JobSpec): { readonly isInOrder: boolean; readonly isFixed: boolean } {
  const chance = new Chance(seed + 1);
  const isScattered = chance.flip(0.5);
  const isFixed = chance.flip(0.5);
  return { isFixed, isInOrder: isFixed && !isScattered };
}

/** Windows that hold what they saw, and what came too late for them. */
function addAccounting(spec: JobSpec, flow: Flow, shop: Workshop, { sink }: Surroundings): void {
  const chance = new Chance(spec.seed + 1);
  const scattered = chance.flip(0.5) ? flow.stream.rebalance() : flow.stream;
  const window: WindowAssigner<Item> = chance.flip(0.5) ? tumbling(ms(chance.between(20, 90))) : session(ms(chance.between(5, 40)));
  const options = apart(flow, 'windows', shop);
  const windowed = scattered.keyBy(byKey).window(window);
  // The operator that shares panes, or the one for everything.
  const windows = chance.flip(0.5)
    ? windowed.aggregate({ items: list<Item>() }, options)
    : windowed.process({ ...options, onWindow: (items) => [{ items }] });
  const further = options.parallelism === undefined ? {} : { parallelism: options.parallelism };
  windows
    .map(({ key, window: { start }, value: { items } }) => ({ key, start, ids: items.map(({ id }) => id) }), {
      uid: 'windows.ids',
      ...further,
    })
    .sinkTo(sink('windows'), { uid: 'to.windows', ...further });
  windows
    .side('late')
    .map(({ key, id }) => ({ key, id }), { uid: 'late.ids', ...further })
    .sinkTo(sink('late'), { uid: 'to.late', ...further });
}

/** Elements on their way from several subtasks to others, with no state that would hold on to them. */
function addScatter(flow: Flow, shop: Workshop, { sink }: Surroundings): void {
  const options = apart(flow, 'scattered', shop);
  const scattered = flow.stream.keyBy(byKey).process({ ...options, onElement: ({ id, key }: Item) => [{ id, key }] });
  scattered.sinkTo(sink('scattered'), {
    uid: 'to.scattered',
    ...(options.parallelism !== undefined && { parallelism: options.parallelism }),
  });
}
