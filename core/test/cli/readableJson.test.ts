import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyFilter } from '../../src/cli/keyFilter.ts';
import { readableJson } from '../../src/cli/readableJson.ts';
import { type Key, keyText } from '../../src/state/key.ts';

describe('readable JSON', () => {
  test.each<[unknown, string]>([
    [{ a: 1, b: [true, null, 'x"'] }, '{"a":1,"b":[true,null,"x\\""]}'],
    [12n, '{"$bigint":"12"}'],
    [new Date(0), '{"$date":"1970-01-01T00:00:00.000Z"}'],
    [new Date(Number.NaN), '{"$date":"invalid"}'],
    [
      new Map<unknown, unknown>([
        ['a', new Set([1n])],
        [[1], undefined],
      ]),
      '{"$map":[["a",{"$set":[{"$bigint":"1"}]}],[[1],{"$undefined":true}]]}',
    ],
    [new Uint8Array([1, 2, 255]), '{"$bytes":"AQL/"}'],
    [new Float64Array([0.5, Number.NaN]), '{"$Float64Array":[0.5,{"$number":"NaN"}]}'],
    [new BigInt64Array([-1n]), '{"$BigInt64Array":[{"$bigint":"-1"}]}'],
    [[Number.NaN, Infinity, -Infinity, -0], '[{"$number":"NaN"},{"$number":"Infinity"},{"$number":"-Infinity"},{"$number":"-0"}]'],
    [{ $date: 'mine', $$x: 1 }, '{"$$date":"mine","$$$x":1}'],
    [JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
    [Symbol('x'), '{"$symbol":"Symbol(x)"}'],
    [Object.create(null), '{}'],
  ])('value %#', (value, expected) => {
    expect(readableJson(value)).toBe(expected);
  });

  test('is JSON whatever the data, and JSON is as it is', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true }),
        (value) => void JSON.parse(readableJson(value)),
      ),
    );
    // -0 is no JSON.
    const plain = fc
      .jsonValue()
      .map((value): unknown => JSON.parse(JSON.stringify(value)))
      .filter((value) => !JSON.stringify(value).includes('"$'));
    fc.assert(
      fc.property(plain, (value) => {
        expect(JSON.parse(readableJson(value))).toEqual(value);
      }),
    );
  });
});

describe('a key on the command line', () => {
  test.each<[string, Key]>([
    ['user-7', 'user-7'],
    ['42', 42],
    ['42', '42'],
    ['true', true],
    ['["a", 1]', ['a', 1]],
    ['{"$bigint":"7"}', 7n],
    ['[{"$bigint":"7"}, ["x"]]', [7n, ['x']]],
    ['{"$number":"Infinity"}', Infinity],
    ['', ''],
  ])('%s is a key (%#)', (text, key) => {
    expect(keyFilter(text)(key)).toBe(true);
    expect(keyFilter(text)('another')).toBe(false);
  });

  test('what a dump shows of a key finds it', () => {
    const key: fc.Arbitrary<Key> = fc.oneof(
      fc.string(),
      fc.bigInt(),
      fc.double({ noNaN: true }).map((n) => n + 0),
      fc.boolean(),
      fc.tuple(fc.string(), fc.bigInt()),
    );
    fc.assert(
      fc.property(key, key, (one, other) => {
        const filter = keyFilter(typeof one === 'string' ? one : readableJson(one));
        expect(filter(one)).toBe(true);
        if (typeof one !== 'string') expect(filter(other)).toBe(keyText(one) === keyText(other) || other === readableJson(one));
      }),
    );
  });
});
