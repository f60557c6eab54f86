import { expect, test } from 'vitest';
import { addressOf } from '../../src/rules/activeRule.ts';
import { RuleBook } from '../../src/rules/ruleBook.ts';
import { readChange } from '../../src/rules/ruleChange.ts';

const pattern = { version: 1, sequence: { steps: [{ kind: 'event', link: 'begin', name: 'a' }] } };

test('a removal that is still to come is not forgotten: what is said later of a time before it ends there', () => {
  const ignore = (): void => undefined;
  const book = new RuleBook({
    emit: 'all',
    maxPartials: undefined,
    user: () => ({ tellsTimedOut: () => false, match: ignore, timedOut: ignore }),
  });
  const say = (change: object, from: number): boolean => book.put(readChange({ rule: 'r', ...change }, {}, from));
  say({ type: 'remove', version: 3 }, 500);
  say({ type: 'add', version: 4, pattern }, 600);
  book.retire(440);
  expect(book.holds('r', 3)).toBe(true);
  say({ type: 'add', version: 2, pattern }, 450);
  expect(book.find(addressOf('r', 2))).toMatchObject({ from: 450, until: 500 });
  book.retire(1000);
  expect(book.holds('r', 3)).toBe(false);
  expect(book.holds('r', 4)).toBe(true);
});
