import { expect, test } from 'vitest';
import { isConstantKey } from '../../src/api/constantKey.ts';
import { explainText } from '../../src/graph/explain.ts';
import { discard, fromArray, StreamEnvironment } from '../../src/index.ts';

// oxlint-disable-next-line typescript/no-implied-eval -- a default parameter, which a linter would take away
const counted = new Function('n = 0', 'return n') as () => number;

test.each([
  [counted, false],
  [() => 0, true],
  [() => 'all', true],
  [
    function all() {
      return 'all';
    },
    true,
  ],
  [(n: number) => n, false],
  [(...all: number[]) => all[0]!, false],
  [
    function first() {
      // oxlint-disable-next-line prefer-rest-params -- what is tested
      return arguments[0] as number;
    },
    false,
  ],
  [((n: number) => n).bind(undefined), false],
] as const)('%s gives one key to all: %s', (key, expected) => {
  expect(isConstantKey(key as (value: never) => unknown)).toBe(expected);
});

test('explain says that what has one key cannot be parallel', () => {
  const env = new StreamEnvironment();
  const words = env.from(fromArray(['a', 'b']));
  words
    .keyBy(() => 0)
    .sum(() => 1, { uid: 'all' })
    .sinkTo(discard());
  words
    .keyBy((word) => word)
    .sum(() => 1, { uid: 'each' })
    .sinkTo(discard());
  const lines = explainText(env.plan()).split('\n');
  expect(lines.find((line) => line.includes('[all]'))).toContain('(key: one for all, cannot be parallel)');
  expect(lines.find((line) => line.includes('[each]'))).not.toContain('cannot be parallel');
});
