import { MillraceError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expression/compileExpression.ts';

const payment = { card: { country: 'FR' }, cents: 900, merchant: 'Tea & Co', tags: ['new', 'web'], at: undefined, 'a.b': 1 };
const soFar = {
  small: [
    { cents: 50, merchant: 'Oil' },
    { cents: 150, merchant: 'Tea & Co' },
  ],
};

function holds(expression: unknown, event: unknown = payment): boolean {
  return compileExpression(expression).test(event as never, soFar as never, { timestamp: 7 });
}

const field = (name: string | readonly string[]) => ({ field: name });

describe('expressions', () => {
  it.each<[unknown, boolean]>([
    [{ '<': [field('cents'), 1000] }, true],
    [{ '>': [field('cents'), 900] }, false],
    [{ '>=': [field('cents'), 900] }, true],
    [{ between: [field('cents'), 900, 901] }, true],
    [{ '==': [field('card.country'), 'FR'] }, true],
    [{ '==': [field(['a.b']), 1] }, true],
    [{ '!=': [field('card.country'), 'FR'] }, false],
    [{ '!=': [field('nothing'), 'FR'] }, true],
    [{ '==': [field('nothing'), null] }, true],
    [{ '<': [field('nothing'), 5] }, false],
    [{ '<': [field('merchant'), 5] }, false],
    [{ '<': [field('merchant'), 'Tee'] }, true],
    [{ in: [field('card.country'), ['DE', 'FR']] }, true],
    [{ in: [field('merchant'), { all: 'small', field: 'merchant' }] }, true],
    [{ '==': [{ '+': [field('cents'), 50, 50] }, 1000] }, true],
    [{ exists: { '/': [field('cents'), 0] } }, false],
    [{ exists: { '+': [field('cents'), field('merchant')] } }, false],
    [{ '==': [{ '%': [{ '-': [field('cents'), 1] }, 10] }, 9] }, true],
    [{ startsWith: [{ lower: field('merchant') }, 'tea'] }, true],
    [{ contains: [field('merchant'), '&'] }, true],
    [{ contains: [field('tags'), 'web'] }, true],
    [{ '==': [{ length: field('tags') }, 2] }, true],
    [{ '==': [{ at: [field('tags'), -1] }, 'web'] }, true],
    [{ '==': [{ concat: [field('card.country'), '-', field('merchant')] }, 'FR-Tea & Co'] }, true],
    [{ '==': [{ last: 'small', field: 'merchant' }, field('merchant')] }, true],
    [{ '==': [{ first: 'small', field: 'cents' }, 50] }, true],
    [{ '==': [{ first: 'large', field: 'cents' }, null] }, true],
    [{ '==': [{ count: 'small' }, 2] }, true],
    [{ '==': [{ count: 'large' }, 0] }, true],
    [{ '>': [field('cents'), { '*': [{ avg: { all: 'small', field: 'cents' } }, 8] }] }, true],
    [{ '==': [{ sum: { all: 'small', field: 'cents' } }, 200] }, true],
    [{ exists: { max: { all: 'large', field: 'cents' } } }, false],
    [{ some: [{ all: 'small' }, { '>': [{ item: 'cents' }, 100] }] }, true],
    [{ every: [field('tags'), { '==': [{ length: { item: true } }, 3] }] }, true],
    [{ if: [{ exists: field('at') }, false, true] }, true],
    [{ '==': [{ default: [field('at'), 3] }, 3] }, true],
    [{ '==': [{ time: true }, 7] }, true],
    [{ and: [true, { not: false }] }, true],
    [{ or: [false, { '==': [1, 2] }] }, false],
    [field('cents'), false],
    [{ not: field('cents') }, true],
  ])('%j is %s', (expression, expected) => {
    expect(holds(expression)).toBe(expected);
  });

  it('can speak of events that are no objects', () => {
    expect(holds({ '==': [{ field: [] }, 'tea'] }, 'tea')).toBe(true);
    expect(holds({ '==': [field('cents'), 1] }, null)).toBe(false);
  });

  it.each<[unknown, string]>([
    [{ '<': [field('cents')] }, 'rule["<"]'],
    [{ and: [true, { '=': [1, 2] }] }, 'rule.and[1]'],
    [{ and: [true, { or: [3] }] }, 'rule.and[1].or[0]'],
    [{ '+': [1, 'x'] }, 'rule["+"][1]'],
    [{ in: [1, [field('x')]] }, 'rule.in[1][0]'],
    [{ '==': [{ item: 'x' }, 1] }, 'rule["=="][0]'],
    [{ '==': [{ last: 3 }, 1] }, 'rule["=="][0]'],
    [{ '==': [{ field: 'x', fields: 'y' }, 1] }, 'rule["=="][0]'],
    [{ '==': [{ time: 1 }, 1] }, 'rule["=="][0]'],
    [{ '<': [1, 2], '>': [1, 2] }, 'rule'],
    [{ not: [true] }, 'rule.not'],
    [{ '==': [Number.NaN, 1] }, 'rule["=="][0]'],
    [{ constructor: [1] }, 'rule'],
    ['text', 'rule'],
    [undefined, 'rule'],
    [() => true, 'rule'],
    [{ and: [] }, 'rule.and'],
  ])('refuses %j and says where', (expression, path) => {
    try {
      compileExpression(expression, 'rule');
    } catch (error) {
      expect(error).toBeInstanceOf(MillraceError);
      expect((error as MillraceError).code).toBe('cep/condition');
      expect((error as MillraceError).problem.startsWith(`At ${path}: `)).toBe(true);
      return;
    }
    expect.unreachable();
  });

  it('refuses what is nested without end', () => {
    let deep: unknown = true;
    for (let i = 0; i < 100; i++) deep = { not: deep };
    expect(() => compileExpression(deep)).toThrow(/nested/);
  });

  it('knows what is unary, which steps are read, and what an event must have', () => {
    const unary = compileExpression({ and: [{ '<': [field('cents'), 5] }, { '==': ['FR', field('card.country')] }] });
    expect([unary.isUnary, unary.steps, unary.equality, unary.test.length]).toEqual([
      true,
      [],
      { path: ['card', 'country'], values: ['FR'] },
      1,
    ]);
    const iterative = compileExpression({ '<': [{ last: 'b', field: 'x' }, { count: 'a' }] });
    expect([iterative.isUnary, iterative.steps, iterative.equality]).toEqual([false, ['a', 'b'], undefined]);
    expect(compileExpression({ in: [field('x'), [1, 2]] }).equality).toEqual({ path: ['x'], values: [1, 2] });
    expect(compileExpression({ in: [field('x'), [1, null]] }).equality).toBeUndefined();
    expect(compileExpression({ not: { '==': [field('x'), 1] } }).equality).toBeUndefined();
  });
});

const leaf = fc.oneof(
  fc
    .record({
      op: fc.constantFrom('<', '<=', '>', '>=', '==', '!='),
      left: fc.constantFrom('x', 'y'),
      right: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ op, left, right }) => ({ [op]: [{ field: left }, right] })),
  fc.boolean(),
);
const tree = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.tuple(fc.constantFrom('and', 'or'), fc.array(tie('node'), { minLength: 1, maxLength: 3 })).map(([op, parts]) => ({ [op]: parts })),
    tie('node').map((part) => ({ not: part })),
  ),
})).node;

/** The meaning of such a tree, straight from its words. */
function meaning(json: unknown, event: Readonly<Record<string, number>>): boolean {
  if (typeof json === 'boolean') return json;
  const [[op, operands]] = Object.entries(json as object) as [[string, never]];
  if (op === 'not') return !meaning(operands, event);
  if (op === 'and') return (operands as unknown[]).every((part) => meaning(part, event));
  if (op === 'or') return (operands as unknown[]).some((part) => meaning(part, event));
  const [{ field: name }, right] = operands as [{ field: string }, number];
  const left = event[name]!;
  return { '<': left < right, '<=': left <= right, '>': left > right, '>=': left >= right, '==': left === right, '!=': left !== right }[
    op
  ]!;
}

/** The same said in another way: sides turned, parts shuffled and doubled. */
function reworded(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  const [[op, operands]] = Object.entries(json) as [[string, never]];
  if (op === 'not') return { not: reworded(operands) };
  if (op === 'and' || op === 'or') return { [op]: [...(operands as unknown[]).map(reworded).toReversed(), reworded(operands[0])] };
  const turned: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' };
  return { [turned[op]!]: (operands as unknown[]).toReversed() };
}

it('means what it says, and has one text for what says the same', () => {
  fc.assert(
    fc.property(tree, fc.record({ x: fc.integer({ min: 0, max: 3 }), y: fc.integer({ min: 0, max: 3 }) }), (json, event) => {
      const compiled = compileExpression(json);
      const other = compileExpression(reworded(json));
      expect(compiled.test(event as never, undefined as never, { timestamp: 0 })).toBe(meaning(json, event));
      expect(other.text).toBe(compiled.text);
      expect(other.test(event as never, undefined as never, { timestamp: 0 })).toBe(meaning(json, event));
      if (compiled.equality !== undefined && meaning(json, event)) {
        const { path, values } = compiled.equality;
        expect(values).toContain((event as Record<string, number>)[path[0]!]);
      }
    }),
    { numRuns: 500 },
  );
});
