import { type Complete, type Matched, pattern, type RuleChange } from '@millrace/cep';
import { ms } from '../../core/simulation/flow.ts';
import { type Item, mix, numberOf } from '../../core/simulation/item.ts';

const start = pattern<Item>();

/** Every event of a match, in order, as one number. */
export function mixMatch(match: Readonly<Record<string, readonly Item[] | undefined>>): number {
  return Object.values(match)
    .flatMap((items) => items ?? [])
    .reduce((all, { n, id }) => mix(mix(all, n), id.length), 11);
}

/** Patterns with windows, loops, absences and skips. Each is short: a key has few events. */
export const PATTERNS: readonly Complete<Item, Matched>[] = [
  start
    .begin('a')
    .where(({ n }) => n % 3 !== 0)
    .next('b')
    .where(({ n }) => n % 2 === 0)
    .within(ms(300)),
  start
    .begin('a')
    .where(({ n }) => n % 2 === 0)
    .followedBy('b')
    .where(({ n }, { a }) => (a?.[0].n ?? 0) < n)
    .within(ms(200)),
  start
    .begin('a')
    .where(({ n }) => n % 3 === 0)
    .followedBy('more')
    .where(({ n }) => n % 3 === 1)
    .oneOrMore()
    .followedBy('end')
    .where(({ n }) => n % 3 === 2)
    .within(ms(400))
    .afterMatch('pastLast'),
  start
    .begin('a')
    .where(({ n }) => n % 2 === 1)
    .notFollowedBy('none')
    .where(({ n }) => n % 5 === 0)
    .within(ms(150)),
  start
    .begin('a')
    .where(({ n }) => n % 4 === 0)
    .followedByAny('b')
    .whereEqual(
      ({ n }) => n % 2,
      'a',
      ({ n }) => n % 2,
    )
    .within(ms(250)),
  start
    .begin('a')
    .where(({ n }) => n % 2 === 0)
    .times(2, 3)
    .followedBy('b')
    .where(({ n }) => n % 2 === 1)
    .within(ms(350))
    .afterMatch('toNext'),
];

const isRest = (of: number, rest: number): unknown => ({ expression: { '==': [{ '%': [{ field: 'n' }, of] }, rest] } });

/** What an item says of a rule: from its own time on. Versions grow with time. */
export function changeOf({ n, id, key }: Item, time: number): RuleChange {
  const rule = `rule ${n % 3}`;
  // Also of one time, each change has a version of its own.
  const version = 1 + (time + 1000) * 100_000 + (mix(numberOf(`${id} ${key}`), n) % 100_000);
  const runs = n % 2 === 0 ? 'drain' : 'discard';
  if (n % 5 === 0) return { type: 'remove', rule, version, runs };
  const sequence = {
    steps: [
      { kind: 'event', link: 'begin', name: 'a', where: isRest(2, n % 2) },
      { kind: 'event', link: n % 4 < 2 ? 'followedBy' : 'next', name: 'b', where: isRest(3, n % 3) },
    ],
    within: 100 + (n % 400),
  };
  return { type: n % 3 === 0 ? 'update' : 'add', rule, version, runs, pattern: { version: 1, sequence } };
}
