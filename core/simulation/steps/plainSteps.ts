import type { DataStream } from '@millrace/core';
import { apart, beside, byKey, type Step, type StepParts } from '../flow.ts';
import { type Item, mix, numberOf } from '../item.ts';

/** Steps over items one by one. */
export const plainSteps = {
  map: (flow, { uid, i, shop }) => ({
    ...flow,
    stream: flow.stream.map(
      (item) => {
        shop.visit(item);
        return { ...item, n: mix(item.n, i) };
      },
      beside(flow, uid),
    ),
  }),
  filter: (flow, { uid, i }) => ({ ...flow, stream: flow.stream.filter(({ n }) => mix(n, i) % 4 !== 0, beside(flow, uid)) }),
  flatMap: (flow, { uid }) => ({
    ...flow,
    stream: flow.stream.flatMap((item) => [item, { ...item, id: `${item.id}'`, n: mix(item.n, 1) }], beside(flow, uid)),
  }),
  rekey: (flow, { uid, i }) => ({
    ...flow,
    ordered: flow.total,
    stream: flow.stream.map((item) => ({ ...item, key: `r${mix(item.n, numberOf(item.key)) % (i + 3)}` }), beside(flow, uid)),
  }),
  rebalance: (flow) => ({ ...flow, ordered: false, total: false, parallelism: undefined, stream: flow.stream.rebalance() }),
  rescale: (flow) => ({ ...flow, ordered: false, total: false, parallelism: undefined, stream: flow.stream.rescale() }),
  partitionCustom: (flow, { uid }) => ({
    ...flow,
    ordered: false,
    total: false,
    parallelism: undefined,
    stream: flow.stream.partitionCustom(({ n }, subtasks) => n % subtasks).map((item) => item, { uid }),
  }),
  parallel: (flow, { uid, shop }) => {
    const { parallelism } = apart({ ...flow, total: false }, uid, shop);
    const options = parallelism === undefined ? { uid } : { uid, parallelism };
    return { ...flow, ordered: false, total: false, parallelism, stream: flow.stream.map((item) => item, options) };
  },
  union: (flow, { other }) => {
    if (flow.timed !== other.timed) return undefined;
    return {
      stream: flow.stream.union(other.stream),
      ordered: false,
      total: false,
      timed: flow.timed,
      even: flow.even && other.even,
      parallelism: undefined,
    };
  },
  // Another number of subtasks deals out anew what is under way.
  asyncMap: (flow, parts) => ({
    ...flow,
    ordered: flow.total,
    stream: called(flow.stream, parts, beside(flow, parts.uid).parallelism, 'input'),
  }),
  asyncMapAny: (flow, parts) => ({
    ...flow,
    ordered: false,
    total: false,
    stream: called(flow.stream, parts, beside(flow, parts.uid).parallelism, 'completion'),
  }),
  // Draws a number for each item: the generator is state.
  random: (flow, { uid, shop }) => {
    if (!flow.total) return undefined;
    return {
      ...flow,
      parallelism: 1,
      stream: flow.stream.keyBy(byKey).process({
        ...apart(flow, uid, shop),
        onElement: (item: Item, { random }) => [{ ...item, n: mix(item.n, Math.floor(random() * 1e6)) }],
      }),
    };
  },
} satisfies Record<string, Step>;

/** Asks another service about each item; of some items it never has an answer, of others only the second time. */
function called(
  stream: DataStream<Item>,
  { uid, i, shop }: StepParts,
  parallelism: number | undefined,
  order: 'input' | 'completion',
): DataStream<Item> {
  const options = parallelism === undefined ? { uid } : { uid, parallelism };
  const asked = new Set<string>();
  const results = stream.asyncMap<Item>(
    {
      order,
      capacity: 1 + i * 3,
      retry: { attempts: 2 },
      run: async (item) => {
        await shop.pause();
        if (item.n % 13 === 0) throw new Error('never an answer');
        const address = `${item.id} ${item.key}`;
        if (item.n % 5 === 0 && !asked.has(address)) {
          asked.add(address);
          throw new Error('not the first time');
        }
        return { ...item, n: mix(item.n, 5) };
      },
    },
    options,
  );
  shop.side(
    `${uid}.failed`,
    results.side('failed').map(({ value }) => value, { uid: `${uid}.value`, ...(parallelism !== undefined && { parallelism }) }),
    parallelism,
  );
  return results;
}
