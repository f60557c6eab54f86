import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FoundMatch } from '../src/executors/executor.ts';
import { assignedShape, generatedShape } from '../src/executors/matchShape.ts';

/** Names that code must not be taken in by. */
const names = fc.uniqueArray(
  fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('__proto__', '"]; throw 1; //', 'a`${b}', '1', '\u2028')),
  {
    minLength: 1,
    maxLength: 5,
  },
);

test('matches look the same with generated code and without', () => {
  fc.assert(
    fc.property(names, fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), (steps, taken) => {
      let found: FoundMatch | undefined;
      for (const [at, step] of taken.entries()) {
        found = { taken: { step: step % steps.length, event: at, time: at, seq: at }, next: found };
      }
      const generated = generatedShape(steps)(found!);
      const assigned = assignedShape(steps)(found!);
      expect(Object.entries(generated)).toEqual(Object.entries(assigned));
      expect(Object.keys(generated).toSorted()).toEqual(steps.toSorted());
      expect(Object.getPrototypeOf(generated)).toBe(Object.prototype);
    }),
  );
});

test('a match is its own: what is done to one is not done to another', () => {
  const shape = generatedShape(['a', 'b']);
  const found: FoundMatch = { taken: { step: 0, event: 'x', time: 0, seq: 0 }, next: undefined };
  expect(shape(found)['a']).not.toBe(shape(found)['a']);
  expect(Object.isFrozen(shape(found)['b'])).toBe(true);
});
