import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMillraceError } from '../../src/errors/millraceError.ts';
import { ByteReader } from '../../src/state/byteReader.ts';
import { decodeSelfContained, encodeSelfContained } from '../../src/state/selfContained.ts';
import { ByteWriter } from '../../src/state/byteWriter.ts';
import { ValueCodec } from '../../src/state/valueCodec.ts';
import { errorCode } from '../time/errorCode.ts';

/** Writes and reads with a codec of its own on each side; the table of shapes travels beside the bytes. */
function roundTrip(...values: unknown[]): unknown[] {
  const writing = new ValueCodec();
  const writer = new ByteWriter(1);
  for (const value of values) writing.write(value, writer);
  const reading = new ValueCodec();
  reading.learn(structuredClone(writing.shapes()));
  const reader = new ByteReader(writer.take());
  const read = values.map(() => reading.read(reader));
  expect(reader.ended).toBe(true);
  return read;
}

const bytesOf = (value: unknown): Uint8Array => {
  const writer = new ByteWriter();
  new ValueCodec().write(value, writer);
  return writer.take();
};

/** Any UTF-16 text, lone surrogates and all. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const typedArray = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.uint8ClampedArray(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);
const { tree: plainData } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      fc.constantFrom(
        undefined,
        null,
        true,
        false,
        NaN,
        0,
        -0,
        Infinity,
        -Infinity,
        Number.MAX_SAFE_INTEGER,
        Number.MIN_SAFE_INTEGER,
        2 ** 60,
        '',
      ),
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt(),
      anyText,
      // An invalid date is equal to nothing, itself included: it has a test of its own.
      fc.date({ noInvalidDate: true }),
      typedArray,
    ),
    fc.array(tie('tree')),
    fc.dictionary(fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'toString', '0', '')), tie('tree')),
    fc.array(fc.tuple(tie('tree'), tie('tree'))).map((pairs) => new Map(pairs)),
    fc.array(tie('tree')).map((items) => new Set(items)),
  ),
}));

describe('value codec', () => {
  test('an invalid date stays one', () => {
    const back = decodeSelfContained(encodeSelfContained([new Date(Number.NaN)])) as [Date];
    expect(back[0]).toBeInstanceOf(Date);
    expect(back[0].getTime()).toBeNaN();
  });

  test('any plain data comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(plainData, { minLength: 1, maxLength: 5 }), (values) => {
        // The test framework's own comparison takes a field named `constructor` for a class.
        expect(isDeepStrictEqual(roundTrip(...values), values.map(withoutNullPrototypes))).toBe(true);
      }),
      { numRuns: 250 },
    );
  });

  test.each([
    ['-0', -0],
    ['NaN', NaN],
    ['a lone high surrogate', 'a\ud800b'],
    ['a lone low surrogate', '\udc00'],
    ['surrogates the wrong way round', '\udc00\ud800'],
    ['a long text with one at its end', `${'x'.repeat(200)}\ud800`],
    ['text at the short form’s edge', 'é'.repeat(12) + 'x'],
    ['ascii of 24 and 25 characters', ['x'.repeat(24), 'x'.repeat(25), 'x'.repeat(127), 'x'.repeat(128)]],
    ['a byte order mark', '\ufeffa'],
    ['an invalid date', new Date(NaN)],
    ['a date before 1970', new Date(-1)],
    ['own __proto__', JSON.parse('{"__proto__":{"x":1},"y":2}')],
    ['holes as undefined', [undefined, 1]],
    [
      'the same fields in another order',
      [
        { a: 1, b: 2 },
        { b: 3, a: 4 },
        { a: 5, b: 6 },
      ],
    ],
    ['no fields, twice', [{}, {}]],
    ['fields that begin alike', [{ a: 1 }, { a: 1, b: 2 }, { a: 1 }]],
  ])('%s', (_, value) => {
    const [read] = roundTrip(value);
    expect(read).toStrictEqual(value);
    if (Object.is(value, -0)) expect(Object.is(read, -0)).toBe(true);
  });

  test('__proto__ as a field is a field: nothing inherits from it', () => {
    const [read] = roundTrip(JSON.parse('{"__proto__":{"polluted":true}}')) as [Record<string, unknown>];
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(read!['polluted']).toBeUndefined();
    expect(Object.keys(read!)).toEqual(['__proto__']);
  });

  test('a typed array is a copy, of its own view only', () => {
    const all = new Float64Array([1, 2, 3, 4]);
    const [read] = roundTrip(all.subarray(1, 3)) as [Float64Array];
    expect(read).toEqual(new Float64Array([2, 3]));
    expect(read!.buffer.byteLength).toBe(16);
  });

  test('field names are written once: records of a known shape carry its number', () => {
    const long = 'a field with a long name';
    const codec = new ValueCodec();
    const writer = new ByteWriter();
    for (let i = 0; i < 100; i++) codec.write({ [long]: i, b: i }, writer);
    expect(codec.shapes()).toEqual([[long, 'b']]);
    expect(writer.length).toBeLessThan(100 * 7);
  });

  test.each([
    ['a function', () => 0],
    ['a symbol', Symbol('x')],
    ['an instance', new (class Card {})()],
    ['a regular expression', /x/],
    ['an error', new Error('x')],
    ['a promise', Promise.resolve()],
    ['a data view', new DataView(new ArrayBuffer(1))],
    ['an array buffer', new ArrayBuffer(1)],
    ['a weak map', new WeakMap()],
    ['one deep inside', { a: [new Map([[1, () => 0]])] }],
  ])('%s is refused', (_, value) => {
    expect(errorCode(() => bytesOf(value))).toBe('codec/unsupported');
  });

  test('what contains itself is refused, what is merely used twice is not', () => {
    const knot: unknown[] = [];
    knot.push({ knot });
    expect(errorCode(() => bytesOf(knot))).toBe('codec/unsupported');
    const shared = { a: 1 };
    expect(roundTrip([shared, shared])).toEqual([[shared, shared]]);
  });

  test('values as deep as can be written can be read', () => {
    let deep: unknown = 0;
    for (let depth = 0; depth < 256; depth++) deep = [deep];
    expect(roundTrip(deep)).toEqual([deep]);
    for (let depth = 0; depth < 10; depth++) deep = { deep };
    expect(errorCode(() => bytesOf(deep))).toBe('codec/unsupported');
  });

  test('a codec learns the shapes of several writers in their order', () => {
    const codec = new ValueCodec();
    codec.learn([['a'], ['b', 'c']]);
    codec.learn([['a'], ['b', 'c']]);
    expect(codec.shapes()).toEqual([['a'], ['b', 'c']]);
  });
});

describe('damaged bytes', () => {
  const codeOfReading = (bytes: Uint8Array): string => {
    try {
      const codec = new ValueCodec();
      codec.learn([['a'], ['b', 'c']]);
      const reader = new ByteReader(bytes);
      while (!reader.ended) codec.read(reader);
      return 'read';
    } catch (error) {
      return isMillraceError(error) ? error.code : `not told: ${String(error)}`;
    }
  };

  test('any bytes are read as something or told as corrupt, and no text, length or nesting breaks the reader', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(['read', 'codec/corrupt']).toContain(codeOfReading(bytes));
      }),
      { numRuns: 3_000 },
    );
  });

  test('a flipped bit is never more than a wrong value', () => {
    fc.assert(
      fc.property(plainData, fc.nat(), (value, at) => {
        const bytes = bytesOf(value);
        const flipped = at % (bytes.length * 8);
        bytes[flipped >> 3]! ^= 1 << (flipped & 7);
        expect(['read', 'codec/corrupt']).toContain(codeOfReading(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  test('whatever is cut off is told', () => {
    const bytes = bytesOf({ b: [1, -2, 0.5, 'text', 'é', 12n, new Date(0), new Map([[1, new Set([2])]]), new Int16Array(3)], c: null });
    for (let length = 0; length < bytes.length; length++) {
      const reader = new ByteReader(bytes.subarray(0, length));
      const codec = new ValueCodec();
      codec.learn([['b', 'c']]);
      expect(errorCode(() => codec.read(reader))).toBe('codec/corrupt');
    }
  });

  test.each([
    ['a tag of a later version', [200]],
    ['a shape that nobody knows', [10, 99]],
    ['a bigint that is none', [8, 2, 0x30, 0x78]],
    ['an empty bigint', [8, 0]],
    ['a typed array of no type', [14, 77, 0]],
    ['half an element of a typed array', [14, 7, 3, 1, 2, 3]],
    ['a text that is longer than the bytes', [7, 200, 1, 65]],
    ['a text with a continuation that is none', [7, 2, 0xc3, 0x41]],
    ['a text that ends within a character', [7, 1, 0xe2]],
    ['a text that begins with a continuation', [7, 2, 0x80, 0x80]],
    ['a character beyond Unicode', [7, 4, 0xf4, 0xbf, 0xbf, 0xbf]],
    ['a length without end', [9, ...Array.from({ length: 200 }, () => 0xff)]],
    ['an array in an array in an array', Array.from({ length: 200_000 }, (_, i) => (i % 2 === 0 ? 9 : 1))],
  ])('%s', (_, bytes) => {
    expect(codeOfReading(Uint8Array.from(bytes))).toBe('codec/corrupt');
  });
});

describe('bytes', () => {
  test('numbers, texts and blocks come back, whatever the capacity at the start', () => {
    const item = fc.oneof(
      fc.maxSafeInteger().map((value) => ({ kind: 'varint' as const, value: Math.abs(value) })),
      fc.double().map((value) => ({ kind: 'float64' as const, value })),
      fc.uint8Array({ maxLength: 300 }).map((value) => ({ kind: 'block' as const, value })),
      anyText.map((value) => ({ kind: 'text' as const, value })),
    );
    fc.assert(
      fc.property(fc.array(item), fc.integer({ min: 0, max: 9 }), (items, capacity) => {
        const writer = new ByteWriter(capacity);
        for (const { kind, value } of items) writer[kind](value as never);
        const reader = new ByteReader(writer.take());
        expect(items.map(({ kind }) => reader[kind]())).toEqual(items.map(({ value }) => value));
        expect(reader.ended).toBe(true);
      }),
    );
  });

  test('text is UTF-8 where it is text at all', () => {
    for (const text of ['', 'plain', 'Zürich', '東京', '🙂 and 🙃', 'é'.repeat(100), 'x'.repeat(1000)]) {
      const writer = new ByteWriter();
      writer.text(text);
      const reader = new ByteReader(writer.take());
      expect(reader.block()).toEqual(new TextEncoder().encode(text));
    }
  });

  test('what was taken stays, what is written on does not touch it', () => {
    const writer = new ByteWriter(2);
    writer.byte(1);
    const taken = writer.take();
    writer.reset();
    writer.byte(2);
    expect([...taken]).toEqual([1]);
    expect([...writer.written()]).toEqual([2]);
  });
});

/** A record without a prototype comes back as an ordinary one. */
function withoutNullPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullPrototypes);
  if (value instanceof Map)
    return new Map([...value].map(([key, content]) => [withoutNullPrototypes(key), withoutNullPrototypes(content)]));
  if (value instanceof Set) return new Set([...value].map(withoutNullPrototypes));
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value;
  const plain = {};
  for (const [field, content] of Object.entries(value)) {
    Object.defineProperty(plain, field, { value: withoutNullPrototypes(content), enumerable: true, configurable: true, writable: true });
  }
  return plain;
}

test('typed arrays are read out of a part of what a file was read into', () => {
  const bytes = bytesOf(new Uint8Array([1, 2, 3]));
  const file = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('behind')]);
  const part = file.subarray(6, 6 + bytes.length);
  expect(new ValueCodec().read(new ByteReader(part))).toEqual(new Uint8Array([1, 2, 3]));
});
