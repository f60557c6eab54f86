import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type SchemaField, schemaFields } from '../../src/schema/jsonSchema.ts';

function fields(schema: StandardSchemaV1): Record<string, Omit<SchemaField, 'name'>> {
  return Object.fromEntries(schemaFields(schema)!.map(({ name, ...rest }) => [name, rest]));
}

/** A schema of a library that says this about itself. */
function described(json: Record<string, unknown>, targets: readonly string[] = ['draft-2020-12']): StandardSchemaV1 {
  const convert = ({ target }: { target: string }): Record<string, unknown> => {
    if (!targets.includes(target)) throw new Error(`no ${target}`);
    return json;
  };
  const props = {
    version: 1,
    vendor: 'mine',
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: convert, output: convert },
  } as const;
  return { '~standard': props };
}

describe('the fields of a zod object', () => {
  test('have their names, types, defaults and descriptions', () => {
    const schema = z.object({
      input: z.string().describe('the file'),
      days: z.coerce.number().default(183),
      count: z.int().min(1).optional(),
      json: z.boolean().default(false),
      mode: z.enum(['batch', 'streaming']).default('batch').describe('how to run'),
      since: z.coerce.date().optional(),
      only: z.literal('x'),
      levels: z.union([z.literal(1), z.literal(2)]),
      nothing: z.string().nullable(),
      either: z.union([z.string(), z.number()]),
      tags: z.array(z.string()),
      sizes: z.array(z.enum(['s', 'm'])).default(['s']),
      point: z.object({ x: z.number() }),
      pairs: z.array(z.array(z.number())),
    });
    expect(fields(schema)).toEqual({
      input: { type: 'string', array: false, required: true, description: 'the file' },
      days: { type: 'number', array: false, required: false, default: 183 },
      count: { type: 'integer', array: false, required: false },
      json: { type: 'boolean', array: false, required: false, default: false },
      mode: { type: 'enum', choices: ['batch', 'streaming'], array: false, required: false, default: 'batch', description: 'how to run' },
      since: { type: 'string', array: false, required: false },
      only: { type: 'enum', choices: ['x'], array: false, required: true },
      levels: { type: 'enum', choices: [1, 2], array: false, required: true },
      nothing: { type: 'string', array: false, required: true },
      either: { type: 'string', array: false, required: true },
      tags: { type: 'string', array: true, required: true },
      sizes: { type: 'enum', choices: ['s', 'm'], array: true, required: false, default: ['s'] },
      point: { type: 'json', array: false, required: true },
      pairs: { type: 'json', array: true, required: true },
    });
    expect(schemaFields(schema)!.map(({ name }) => name)).toEqual(Object.keys(schema.shape));
  });

  test('are those of both sides of an intersection, and of named parts', () => {
    const Mode = z.enum(['a', 'b']).meta({ id: 'Mode' });
    expect(fields(z.intersection(z.object({ x: Mode }), z.object({ y: Mode.optional() })))).toEqual({
      x: { type: 'enum', choices: ['a', 'b'], array: false, required: true },
      y: { type: 'enum', choices: ['a', 'b'], array: false, required: false },
    });
  });

  test('end where the schema refers to itself', () => {
    const Tree: z.ZodType = z.object({
      name: z.string(),
      get child() {
        return Tree.optional();
      },
    });
    expect(Object.keys(fields(Tree))).toEqual(['name', 'child']);
  });
});

describe('a schema', () => {
  test('that says nothing about itself has no fields to tell of', () => {
    expect(schemaFields({ '~standard': { version: 1, vendor: 'mine', validate: (value) => ({ value }) } })).toBeUndefined();
  });

  test('of no object has none either', () => {
    expect(schemaFields(z.string())).toBeUndefined();
    expect(schemaFields(z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]))).toBeUndefined();
  });

  test('may know an older draft only', () => {
    const json = { type: 'object', properties: { a: { $ref: '#/definitions/a~1b' } }, definitions: { 'a/b': { type: 'integer' } } };
    expect(fields(described(json, ['draft-07']))).toEqual({ a: { type: 'integer', array: false, required: false } });
  });

  test('may require what it has a default for: that need not be given', () => {
    const json = { type: 'object', properties: { a: { type: 'string', default: '' } }, required: ['a'] };
    expect(fields(described(json))).toEqual({ a: { type: 'string', array: false, required: false, default: '' } });
  });

  test('may name a part by itself: then it may be anything', () => {
    expect(fields(described({ properties: { a: { $ref: '#/properties/a' } } }))).toEqual({
      a: { type: 'string', array: false, required: false },
    });
  });

  test('that fails to describe itself is an error', () => {
    expect(() => schemaFields(described({}, []))).toThrow(
      expect.objectContaining({ code: 'schema/invalid', message: expect.stringContaining('draft-2020-12') as string }),
    );
  });
});
