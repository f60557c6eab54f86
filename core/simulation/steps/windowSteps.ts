import { continuousEventTime, count, distinct, max, min, session, sliding, sum, tumbling, type WindowAssigner } from '@millrace/core';
import { apart, beside, byKey, type Flow, ms, type Step, type StepParts } from '../flow.ts';
import { type Item, mix, mixAll } from '../item.ts';

/** A window's final result as an item again. */
function totals(flow: Flow, { uid, shop }: StepParts, window: WindowAssigner<Item>, isEarly = false): Flow {
  const options = apart(flow, uid, shop);
  const stream = flow.stream
    .keyBy(byKey)
    .window(window, isEarly ? { trigger: continuousEventTime(ms(30)) } : {})
    .aggregate({ n: count(), total: sum(({ n }) => n % 1000), least: min(({ n }) => n), kinds: distinct(({ n }) => n % 7) }, options)
    .filter(({ pane }) => pane.timing === 'onTime', beside({ parallelism: options.parallelism }, `${uid}.onTime`))
    .map(
      ({ key, window: { start }, value }) => ({
        id: '',
        key,
        n: mix(mix(value.n, value.total), mix(mix(value.least ?? 0, value.kinds), start)),
      }),
      beside({ parallelism: options.parallelism }, `${uid}.item`),
    );
  return { stream, ordered: true, total: false, timed: true, even: false, parallelism: options.parallelism };
}

/** Moves each item to the next even time. */
function even(flow: Flow, { uid, shop }: StepParts): Flow {
  if (flow.even) return flow;
  const options = apart(flow, `${uid}.even`, shop);
  const stream = flow.stream
    .keyBy(byKey)
    .window(tumbling(ms(2), { offset: ms(1) }))
    .process({ ...options, onWindow: (items) => items })
    .map(({ value }) => value, beside({ parallelism: options.parallelism }, `${uid}.evened`));
  return { stream, ordered: false, total: false, timed: true, even: true, parallelism: options.parallelism };
}

/** Steps over windows. Their results depend on times, and not on who came first. */
export const windowSteps = {
  tumbling: (flow, parts) => (flow.timed ? totals(flow, parts, tumbling(ms(parts.i * 20 + 10), { offset: ms(parts.i) })) : undefined),
  sliding: (flow, parts) => (flow.timed ? totals(flow, parts, sliding(ms((parts.i + 1) * 30), { every: ms(30) })) : undefined),
  early: (flow, parts) => (flow.timed ? totals(flow, parts, tumbling(ms(parts.i * 40 + 70)), true) : undefined),
  session: (flow, parts) => (flow.timed ? totals(even(flow, parts), parts, session(ms(6 * parts.i + 5))) : undefined),
  windowProcess: (flow, { uid, i, shop }) => {
    if (!flow.timed) return undefined;
    const options = apart(flow, uid, shop);
    const stream = flow.stream
      .keyBy(byKey)
      .window(tumbling(ms(i * 15 + 25)))
      .process({
        ...options,
        onWindow: (items, { key }) => [{ id: '', key, n: mixAll(items.map(({ n }) => n)) }],
      })
      .map(({ value }) => value, beside({ parallelism: options.parallelism }, `${uid}.item`));
    return { stream, ordered: true, total: false, timed: true, even: false, parallelism: options.parallelism };
  },
  windowAll: (flow, { uid, i }) => {
    if (!flow.timed) return undefined;
    const stream = flow.stream
      .windowAll(tumbling(ms(i * 20 + 20)))
      .process({ uid, onWindow: (items) => [{ id: '', key: 'all', n: mixAll(items.map(({ n }) => n)) }] })
      .map(({ value }) => value, { uid: `${uid}.item`, parallelism: 1 });
    return { stream, ordered: true, total: false, timed: true, even: false, parallelism: 1 };
  },
  over: (flow, { uid, i, shop }) => {
    if (!flow.timed) return undefined;
    const options = apart(flow, uid, shop);
    const stream = flow.stream
      .keyBy(byKey)
      .over({ last: ms(i * 20) }, { total: sum(({ n }) => n % 1000), most: max(({ n }) => n) }, options)
      .map(
        ({ value, over }) => ({ ...value, n: mix(value.n, mix(over.total, over.most ?? 0)) }),
        beside({ parallelism: options.parallelism }, `${uid}.item`),
      );
    return { ...flow, stream, ordered: false, total: false, parallelism: options.parallelism };
  },
} satisfies Record<string, Step>;
