import type { StandardSchemaV1 } from '@standard-schema/spec';
import { expectTypeOf } from 'expect-type';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkerOf, compileSchema, describeIssues, isPromised, settle } from '../../src/schema/standard.ts';

const Payment = z.object({ id: z.string(), cents: z.coerce.number() });

/** A schema of a library that does as it is told. */
function schemaOf(validate: StandardSchemaV1.Props['validate'], vendor = 'mine'): StandardSchemaV1 {
  return { '~standard': { version: 1, vendor, validate } };
}

describe('a validator', () => {
  test('gives the value, or what the schema has against it', () => {
    const validate = compileSchema(Payment);
    expectTypeOf(validate).returns.toEqualTypeOf<StandardSchemaV1.Result<{ id: string; cents: number }>>();
    expect(validate({ id: 'a', cents: '7' })).toMatchObject({ value: { id: 'a', cents: 7 } });
    expect(validate({ cents: 'x' }).issues?.map(({ path }) => path)).toEqual([['id'], ['cents']]);
  });

  test('hands out the very object that the schema made', () => {
    const result = { value: 1 };
    expect(compileSchema(schemaOf(() => result))(0)).toBe(result);
  });

  test('takes a check that throws as an objection', () => {
    const validate = compileSchema(
      schemaOf(() => {
        throw new RangeError('too far');
      }),
    );
    expect(describeIssues(validate(1).issues!)).toContain('too far');
  });

  test('is not made of what is no schema', () => {
    for (const nothing of [{}, null, 7, undefined, { '~standard': {} }]) {
      expect(() => compileSchema(nothing as unknown as StandardSchemaV1)).toThrow(expect.objectContaining({ code: 'schema/invalid' }));
    }
  });

  test('may be made of a function that is a schema, as in arktype', () => {
    const schema = Object.assign(
      () => undefined,
      schemaOf((value) => ({ value })),
    );
    expect(compileSchema(schema)(3)).toEqual({ value: 3 });
  });
});

describe('a schema that is asynchronous', () => {
  const refusal = expect.objectContaining({ code: 'schema/async', message: expect.stringContaining('zod') as string }) as Error;

  test('is refused on the first value, with the name of its library', () => {
    const validate = compileSchema(Payment.refine(async () => Promise.resolve(true)));
    expect(() => validate({ id: 'a', cents: 1 })).toThrow(refusal);
  });

  test('cannot be told from one whose check threw, where nobody waits; its rejection is dealt with', () => {
    const validate = compileSchema(
      Payment.transform(() => {
        throw new Error('no such currency');
      }),
    );
    expect(() => validate({ id: 'a', cents: 1 })).toThrow(refusal);
  });

  test('is refused at once where its validate is an async function', () => {
    expect(() => compileSchema(schemaOf(async (value) => ({ value })))).toThrow(expect.objectContaining({ code: 'schema/async' }));
  });

  test('is told from one with a check that throws', async () => {
    const slow = Payment.refine(async () => Promise.resolve(true));
    const throwing = Payment.transform(() => {
      throw new Error('no such currency');
    });
    const answers = [slow, throwing].map((schema) => checkerOf(schema)({ id: 'a', cents: 1 }));
    const [first, second] = answers as [Promise<never>, Promise<never>];
    expect(answers.every(isPromised)).toBe(true);
    await expect(settle(first, slow)).rejects.toEqual(refusal);
    expect(describeIssues((await settle(second, throwing)).issues)).toContain('no such currency');
  });
});

test('objections name their place', () => {
  expect(
    describeIssues([
      { message: 'one', path: ['items', 0, { key: 'price' }] },
      { message: 'two', path: [] },
      { message: 'three' },
      { message: 'four', path: [3, Symbol.iterator] },
    ]),
  ).toBe('items[0].price: one; two; three; [3].Symbol(Symbol.iterator): four');
});
