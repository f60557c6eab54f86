import { dataSet, type Iteration, type OperatorDefinition } from '@millrace/core';
import { beside, byKey, type Step } from '../flow.ts';
import { type Item, mix, mixAll } from '../item.ts';

interface Round {
  readonly keys: readonly string[];
  readonly values: Float64Array;
  readonly left: number;
}

/** Rounds over buffers that shards write in place, with numbers drawn in each. */
const rounds = (count: number): Iteration<Item, Round, number, Item> => ({
  init(items, { allocate }) {
    const keys = [...new Set(items.map(byKey))].sort();
    const values = new Float64Array(allocate(keys.length * 8));
    keys.forEach((key, at) => (values[at] = mixAll(items.filter((item) => item.key === key).map(({ n }) => n))));
    return { keys, values, left: count };
  },
  round({ values }, shard, { shards, random, round }) {
    for (let at = shard; at < values.length; at += shards) values[at] = mix(values[at]!, round);
    return Math.floor(random() * 1000);
  },
  combine({ keys, values, left }, parts) {
    values[0] = mix(values[0] ?? 0, parts.reduce(mix, 1));
    return { keys, values, left: left - 1 };
  },
  done: ({ left }) => left <= 0,
  result: ({ keys, values }) => keys.map((key, at) => ({ id: '', key, n: values[at]! })),
});

const counting: OperatorDefinition = {
  create(context) {
    let total = 0;
    return {
      inputs: [(item: Item) => void (total += item.n % 1000)],
      onEnd: () => context.emit({ id: '', key: 'last', n: total }, 0),
      operatorEntries: () => [{ state: 'total', mode: 'split', items: [total] }],
      restoreOperatorEntry: ({ items }) => void (total = items[0] as number),
    };
  },
};

/** Steps that give their results when their input has ended. */
export const atEndSteps = {
  iterate: (flow, { uid, i }) => ({
    stream: flow.stream.iterate(rounds(i + 1), { uid, shards: 1 + (i % 3) }),
    ordered: true,
    total: false,
    timed: false,
    even: false,
    parallelism: 1,
  }),
  // An operator of one's own that says how much it has seen, when all is over.
  lastWord: (flow, { uid }) => ({
    stream: flow.stream.global().transform<Item>(counting, { uid, parallelism: 1, kind: 'lastWord', traits: { stateful: true } }),
    ordered: true,
    total: false,
    timed: false,
    even: false,
    parallelism: 1,
  }),
  mapPartition: (flow, { uid, i }) => ({
    ...flow,
    // Another number of subtasks deals the elements out anew.
    ordered: flow.total,
    timed: false,
    even: false,
    stream: dataSet(flow.stream).mapPartition((items) => [...items].map((item) => ({ ...item, n: mix(item.n, i) })), beside(flow, uid))
      .stream,
  }),
} satisfies Record<string, Step>;
