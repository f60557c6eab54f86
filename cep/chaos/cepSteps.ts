import { detect, detectAll, type RuleMatch } from '@millrace/cep';
import { statechart } from '@millrace/cep/statechart';
import { assign, emit, setup } from 'xstate';
import { apart, beside, byKey, type Flow, type Step } from '../../core/simulation/flow.ts';
import { type Item, mix, numberOf } from '../../core/simulation/item.ts';
import { changeOf, mixMatch, PATTERNS } from './patterns.ts';

/** Of one time, whatever came first. */
const compare = (a: Item, b: Item): number => a.n - b.n || (a.id < b.id ? -1 : Number(a.id > b.id));

const ruleItem = ({ rule, version, key, start, end, match }: RuleMatch<Item, string>): Item => ({
  id: '',
  key,
  n: mix(mix(numberOf(rule), version), mix(mix(start, end), mixMatch(match))),
});

function found(flow: Flow, stream: Flow['stream'], parallelism: number | undefined): Flow {
  return { ...flow, stream, ordered: false, total: false, even: false, parallelism };
}

/** Opens at a key's item, counts until it closes by itself, and says how many there were. */
const door = setup({
  types: {
    context: {} as { readonly seen: number; readonly sum: number },
    events: {} as { readonly type: 'even' | 'odd'; readonly n: number },
    emitted: {} as { readonly type: 'closed'; readonly n: number },
  },
}).createMachine({
  id: 'door',
  initial: 'closed',
  context: { seen: 0, sum: 0 },
  states: {
    closed: { on: { even: { target: 'open', actions: assign({ seen: ({ context }) => context.seen + 1, sum: ({ event }) => event.n }) } } },
    open: {
      on: {
        odd: { actions: assign({ seen: ({ context }) => context.seen + 1, sum: ({ context, event }) => mix(context.sum, event.n) }) },
        even: { target: 'closing' },
      },
      after: { 120: { target: 'closed', actions: emit(({ context }) => ({ type: 'closed', n: mix(context.seen, context.sum) })) } },
    },
    closing: { after: { 45: { target: 'closed', actions: emit(({ context }) => ({ type: 'closed', n: mix(context.sum, 1) })) } } },
  },
});

/** Steps over patterns. */
export const cepSteps = {
  detect: (flow, { uid, i, shop }) => {
    if (!flow.timed) return undefined;
    const options = apart(flow, uid, shop);
    const stream = flow.stream.keyBy(byKey).pipe(
      detect(
        PATTERNS[i % PATTERNS.length]!,
        (match, { key, start, end }): Item => ({
          id: '',
          key,
          n: mix(mix(start, end), mixMatch(match as Record<string, readonly Item[]>)),
        }),
        { ...options, compare },
      ),
    );
    const late = stream
      .side('timedOut')
      .map(
        (match) => ({ n: mixMatch(match as Record<string, readonly Item[]>) }),
        beside({ parallelism: options.parallelism }, `${uid}.partial`),
      );
    shop.side(`${uid}.timedOut`, late, options.parallelism);
    return found(flow, stream, options.parallelism);
  },
  // Rules that come, change and go by a stream.
  detectAll: (flow, { uid, other, shop }) => {
    if (!flow.timed || !flow.ordered || !other.timed) return undefined;
    const options = apart(flow, uid, shop);
    const rules = other.stream
      .filter(({ n }) => n % 9 === 0, beside(other, `${uid}.some`))
      .keyBy(byKey)
      .process({ ...beside(other, `${uid}.change`), onElement: (item: Item, { timestamp = 0 }) => [changeOf(item, timestamp)] });
    const matches = flow.stream.keyBy(byKey).pipe(detectAll<Item, string>(rules, options));
    const inTask = beside({ parallelism: options.parallelism }, `${uid}.match`);
    shop.side(
      `${uid}.timedOut`,
      matches.side('timedOut').map((partial) => ({ n: ruleItem(partial).n }), { ...inTask, uid: `${uid}.partial` }),
      options.parallelism,
    );
    return found(flow, matches.map(ruleItem, inTask), options.parallelism);
  },
  statechart: (flow, { uid, shop }) => {
    if (!flow.timed || !flow.ordered) return undefined;
    const options = apart(flow, uid, shop);
    const closed = flow.stream.keyBy(byKey).pipe(
      statechart(door, {
        ...options,
        version: 1,
        event: ({ n }: Item) => ({ type: n % 2 === 0 ? ('even' as const) : ('odd' as const), n }),
      }),
    );
    const inTask = beside({ parallelism: options.parallelism }, `${uid}.item`);
    const unhandled = closed.side('unhandled').map(({ n, key }) => ({ n, key }), { ...inTask, uid: `${uid}.other` });
    shop.side(`${uid}.unhandled`, unhandled, options.parallelism);
    return found(
      flow,
      closed.map(({ n }) => ({ id: '', key: 'door', n }), inTask),
      options.parallelism,
    );
  },
} satisfies Record<string, Step>;
