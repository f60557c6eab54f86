import { expect, test } from 'vitest';
import { pattern } from '../src/index.ts';
import { trial } from '../src/testing.ts';

const is =
  (name: string) =>
  (event: string): boolean =>
    event === name;

test('a partial match that waits only for being confirmed has timed out when it could take something for the last time', () => {
  const quiet = pattern<string>()
    .begin('a')
    .where(is('a'))
    .oneOrMore({ within: { milliseconds: 3 } })
    .notFollowedBy('x')
    .where(is('x'))
    .within({ milliseconds: 10 });
  const tried = trial(quiet);
  tried.event('a', 0);
  tried.advance(3);
  expect(tried.takeTimedOut()).toEqual([{ match: { a: ['a'] }, at: 3 }]);
  tried.advance(10);
  expect(tried.takeMatches()).toEqual([{ match: { a: ['a'] }, at: 10 }]);
  expect(tried.takeTimedOut()).toEqual([]);
});
