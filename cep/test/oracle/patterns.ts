import fc from 'fast-check';
import type { Condition } from '../../src/pattern/condition.ts';
import type { EventNode, GroupNode, Link, NotNode, PatternNode, StepNode, TimesNode } from '../../src/pattern/pattern.ts';
import { validatePattern } from '../../src/pattern/validation.ts';
import type { Happening } from './oracle.ts';

export interface Tick {
  readonly name: string;
  readonly price: number;
}

/** What patterns of a test may have beside plain steps. */
export interface Features {
  readonly loops?: boolean;
  readonly optional?: boolean;
  readonly within?: boolean;
  readonly gaps?: boolean;
  readonly greedy?: boolean;
  readonly reluctant?: boolean;
  readonly until?: boolean;
  readonly nots?: boolean;
  readonly absence?: boolean;
  readonly groups?: boolean;
  readonly either?: boolean;
  readonly all?: boolean;
  readonly iterative?: boolean;
  /** Equality with events taken before. */
  readonly equal?: boolean;
  readonly skip?: boolean;
}

/** A condition, the same function wherever it says the same. */
const NAMES = ['a', 'b', 'c'];
const UNARY: readonly Condition[] = [
  ...NAMES.map((name) => ({ function: (tick: Tick) => tick.name === name, name }) as unknown as Condition),
  { function: ((tick: Tick) => tick.price > 2) as never, name: 'dear' },
  { function: ((tick: Tick) => tick.name !== 'a') as never, name: 'no a' },
];

const unary = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...UNARY) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...UNARY), fc.constantFrom(...UNARY)).map((or) => ({ or }) as Condition) },
);

/** Conditions on what the steps before have taken, and this one. */
function iterative(names: readonly string[]): fc.Arbitrary<Condition> {
  const total = (events: readonly Tick[] | undefined): number => (events ?? []).reduce((sum, { price }) => sum + price, 0);
  const step = fc.constantFrom(...names);
  return fc.oneof(
    step.map(
      (name) => ({ function: (tick: Tick, soFar: Record<string, Tick[]>) => total(soFar[name]) + tick.price <= 6 }) as unknown as Condition,
    ),
    step.map(
      (name) =>
        ({
          function: (tick: Tick, soFar: Record<string, Tick[]>) => tick.price >= (soFar[name]?.at(-1)?.price ?? 0),
        }) as unknown as Condition,
    ),
    step.map((name) => ({ equal: { of: 'name', step: name, to: 'name' } }) as Condition),
    fc.tuple(fc.constantFrom(...UNARY), step).map(([one, name]) => ({
      and: [one, { function: (_: Tick, soFar: Record<string, Tick[]>) => (soFar[name] ?? []).length < 2 } as unknown as Condition],
    })),
  );
}

/** Equality with what one of the steps has taken, alone and together with other conditions. */
function equality(names: readonly string[]): fc.Arbitrary<Condition> {
  const equal = fc
    .record({ step: fc.constantFrom(...names), of: fc.constantFrom('name', 'price'), same: fc.constantFrom(true, true, true, false) })
    .map(({ step, of, same }): Condition => ({ equal: { of, step, to: same || of === 'price' ? of : 'price' } }));
  return fc.oneof(
    equal,
    fc.tuple(equal, unary).map((and): Condition => ({ and })),
    fc.tuple(equal, equal).map((and): Condition => ({ and })),
    fc.tuple(equal, unary).map((or): Condition => ({ or })),
    fc.tuple(equal, iterative(names)).map((and): Condition => ({ and })),
  );
}

const link = fc.constantFrom<Link>('next', 'followedBy', 'followedByAny');
const inner = fc.constantFrom('relaxed' as const, 'consecutive' as const, 'combinations' as const);

function sometimes<V>(isOn: boolean | undefined, value: fc.Arbitrary<V>, weight = 1): fc.Arbitrary<V | undefined> {
  return isOn === true ? fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value }) : fc.constant(undefined);
}

function timesOf(features: Features): fc.Arbitrary<TimesNode> {
  const range = fc.constantFrom<readonly [number, number | null]>([1, null], [2, null], [2, 2], [1, 3], [2, 3], [0, 2]);
  return fc
    .record({
      range,
      inner,
      preference: preferenceOf(features),
      until: sometimes(features.until, unary, 2),
      within: sometimes(features.gaps, fc.integer({ min: 1, max: 5 })),
    })
    .map(({ range: [min, max], inner: how, preference, until, within }) => ({
      min,
      max,
      inner: preference === 'greedy' && how === 'combinations' ? 'relaxed' : how,
      ...(preference !== undefined && { preference }),
      ...(until !== undefined && max === null && { until }),
      ...(within !== undefined && { within }),
    }));
}

function preferenceOf({ greedy, reluctant }: Features): fc.Arbitrary<'greedy' | 'reluctant' | undefined> {
  return fc.constantFrom(
    undefined,
    ...(greedy === true ? (['greedy'] as const) : []),
    ...(reluctant === true ? (['reluctant'] as const) : []),
  );
}

function eventOf(name: string, before: readonly string[], features: Features): fc.Arbitrary<EventNode> {
  const where = whereOf([...before, name], before.length > 0, features);
  return fc
    .record({
      link,
      where,
      times: sometimes(features.loops, timesOf(features), 2),
      optional: sometimes(features.optional, fc.constant(true as const)),
      withinPrevious: sometimes(features.gaps, fc.integer({ min: 1, max: 6 })),
    })
    .map((node) => ({ kind: 'event' as const, name, ...defined(node) }));
}

function whereOf(names: readonly string[], looksBack: boolean, { iterative: asks, equal }: Features): fc.Arbitrary<Condition> {
  if (!looksBack) return unary;
  return fc.oneof(
    unary,
    ...(asks === true ? [iterative(names)] : []),
    ...(equal === true ? [{ weight: 2, arbitrary: equality(names) }] : []),
  );
}

function defined<V extends object>(node: V): { [P in keyof V]: Exclude<V[P], undefined> } {
  return Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined)) as never;
}

function notOf(name: string, before: readonly string[], features: Features): fc.Arbitrary<NotNode> {
  const links = [
    ...(features.nots === true ? (['next', 'followedBy'] as const) : []),
    ...(features.absence === true ? (['absent'] as const) : []),
  ];
  return fc
    .record({
      link: fc.constantFrom(...links),
      where: whereOf(before, features.equal === true && before.length > 0, features),
      duration: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ duration, ...node }) => ({ kind: 'not' as const, name, ...node, ...(node.link === 'absent' && { duration }) }));
}

function stepOf(name: string, before: readonly string[], features: Features): fc.Arbitrary<StepNode> {
  const plain = { ...features, groups: false, either: false, all: false };
  const bare = { ...plain, loops: false, optional: false, gaps: false, nots: false, absence: false };
  const options: fc.Arbitrary<StepNode>[] = [eventOf(name, before, features), eventOf(name, before, features)];
  const times = sometimes(true, timesOf({ ...features, greedy: false, reluctant: false }));
  const outer = { link, times, optional: sometimes(true, fc.constant(true as const)) };
  const part = (suffix: string): fc.Arbitrary<EventNode> => eventOf(name + suffix, before, { ...plain, greedy: false, reluctant: false });
  if (features.groups === true)
    options.push(
      fc
        .record({
          ...outer,
          steps: fc.oneof(
            part('x').map((x) => [x]),
            fc.tuple(part('x'), part('y')).map((steps) => [...steps]),
          ),
        })
        .map(({ steps, ...node }) => {
          const [head, ...rest] = steps;
          return { kind: 'group', ...defined(node), body: { steps: [{ ...head!, link: 'begin' }, ...rest] } } as GroupNode;
        }),
    );
  if (features.either === true)
    options.push(
      fc.record({ link, one: part('x'), two: part('y'), three: part('z') }).map(
        ({ link: how, one, two, three }) =>
          ({
            kind: 'either',
            link: how,
            branches: [{ steps: [{ ...one, link: 'begin' }] }, { steps: [{ ...two, link: 'begin' }, three] }],
          }) as StepNode,
      ),
    );
  if (features.all === true)
    options.push(
      fc
        .record({ link, events: fc.tuple(eventOf(`${name}x`, before, bare), eventOf(`${name}y`, before, bare)) })
        .map((node) => ({ kind: 'all', ...node }) as StepNode),
    );
  return fc.oneof(...options);
}

function stepsOf(features: Features): fc.Arbitrary<StepNode[]> {
  const hasNots = features.nots === true || features.absence === true;
  return fc.integer({ min: 1, max: 4 }).chain((count) => {
    const steps: fc.Arbitrary<StepNode>[] = [];
    for (let n = 1; n <= count; n++) {
      const before = features.groups === true ? [] : Array.from({ length: n - 1 }, (_, i) => `p${i + 1}`);
      steps.push(
        n > 1 && hasNots
          ? fc.oneof(stepOf(`p${n}`, before, features), notOf(`n${n}`, before, features))
          : stepOf(`p${n}`, before, features),
      );
    }
    return fc.tuple(...steps).map((list) => list.map((step, at) => (at === 0 ? ({ ...step, link: 'begin' } as StepNode) : step)));
  });
}

/** Patterns with the given features, of which those that cannot work are left out. */
export function patternsOf(features: Features): fc.Arbitrary<PatternNode> {
  return fc
    .record({ steps: stepsOf(features), within: sometimes(features.within, fc.integer({ min: 2, max: 10 }), 4), skip: fc.nat() })
    .map(({ steps, within, skip }): PatternNode => {
      const names = steps.flatMap((step) => (step.kind === 'event' ? [step.name] : []));
      const strategies = [
        { skip: 'toNext' },
        { skip: 'pastLast' },
        ...names.flatMap((step) => [
          { skip: 'toFirst', step },
          { skip: 'toLast', step },
        ]),
      ] as PatternNode['afterMatch'][];
      return {
        version: 1,
        sequence: { steps, ...(within !== undefined && { within }) },
        ...(features.skip === true && { afterMatch: strategies[skip % strategies.length] }),
      };
    })
    .filter(isValid);
}

function isValid(pattern: PatternNode): boolean {
  try {
    validatePattern(pattern);
    return true;
  } catch {
    return false;
  }
}

/** Events in the order of their times, some of them at the same time. */
export const happenings: fc.Arbitrary<readonly Happening[]> = fc
  .array(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      price: fc.integer({ min: 1, max: 4 }),
      wait: fc.constantFrom(0, 1, 1, 1, 2, 3),
    }),
    { minLength: 2, maxLength: 7 },
  )
  .map((list) => {
    let time = -3;
    return list.map(({ wait, ...event }) => ({ event, time: (time += wait) }));
  });
