import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMillraceError } from '../../src/errors/millraceError.ts';
import { compareKeys, decodeKey, encodeKey, equalKeys, hashKey, type Key, spread } from '../../src/state/key.ts';
import { KeyedTable } from '../../src/state/keyedTable.ts';
import { errorCode } from '../time/errorCode.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.constantFrom('', '\0', 'é', '\ud800', '🙂', 'abcd', 'abcde'),
);
const scalar = fc.oneof(text, fc.double({ noNaN: true }), fc.integer(), fc.maxSafeInteger(), fc.bigInt(), fc.boolean());
const key: fc.Arbitrary<Key> = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof({ maxDepth: 3 }, scalar, fc.array(tie('key'), { maxLength: 4 })),
})).key;

/** The hash by its definition, over the canonical bytes. */
function hashOfBytes(bytes: Uint8Array): number {
  let hash = 1;
  for (const byte of bytes) hash = (Math.imul(hash, 31) + ((byte << 24) >> 24)) | 0;
  return spread(hash);
}

describe('canonical bytes of a key', () => {
  // An address in checkpoints: these bytes may never change.
  test.each<[Key, number[]]>([
    ['', [1, 255]],
    ['ab', [1, 97, 98, 255]],
    ['é', [1, 0xc3, 0xa9, 255]],
    ['€', [1, 0xe2, 0x82, 0xac, 255]],
    ['🙂', [1, 0xf0, 0x9f, 0x99, 0x82, 255]],
    ['\ud83d', [1, 0xed, 0xa0, 0xbd, 255]],
    [1, [8, 49, 255]],
    [-0, [8, 48, 255]],
    [-255, [8, 45, 102, 102, 255]],
    [Number.MAX_SAFE_INTEGER, [8, 49, ...Array.from({ length: 13 }, () => 102), 255]],
    [2 ** 53, [2, 0x43, 0x40, 0, 0, 0, 0, 0, 0]],
    [0.5, [2, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]],
    [-Infinity, [2, 0xff, 0xf0, 0, 0, 0, 0, 0, 0]],
    [255n, [3, 102, 102, 255]],
    [-16n, [3, 45, 49, 48, 255]],
    [false, [4]],
    [true, [5]],
    [[], [6, 7]],
    [
      ['a', [true], 1n],
      [6, 1, 97, 255, 6, 5, 7, 3, 49, 255, 7],
    ],
  ])('%s', (k, bytes) => {
    expect([...encodeKey(k)]).toEqual(bytes);
    expect(equalKeys(decodeKey(Uint8Array.from(bytes)), k)).toBe(true);
  });

  test('come back as the key that they are of', () => {
    fc.assert(
      fc.property(key, (k) => {
        const read = decodeKey(encodeKey(k));
        expect(equalKeys(read, k)).toBe(true);
        expect(encodeKey(read)).toEqual(encodeKey(k));
      }),
      { numRuns: 500 },
    );
  });

  test('are equal exactly where the keys are, however alike these look', () => {
    const alike: Key[] = [
      '1',
      1,
      1n,
      true,
      ['1'],
      [1],
      [1n],
      [[1]],
      [1, []],
      [],
      [[]],
      '',
      [''],
      ['a', 'b'],
      ['ab'],
      [['a'], 'b'],
      0,
      false,
      '0',
      0n,
      '\u0001',
      [['a', 'b']],
      'a\u0007',
    ];
    fc.assert(
      fc.property(fc.oneof(key, fc.constantFrom(...alike)), fc.oneof(key, fc.constantFrom(...alike)), (a, b) => {
        const same = Buffer.from(encodeKey(a)).equals(Buffer.from(encodeKey(b)));
        expect(same).toBe(equalKeys(a, b));
        expect(compareKeys(a, b) === 0).toBe(same);
        if (same) expect(hashKey(a)).toBe(hashKey(b));
      }),
      { numRuns: 500 },
    );
    for (const [i, a] of alike.entries()) for (const [j, b] of alike.entries()) expect(equalKeys(a, b)).toBe(i === j);
  });

  test('a text of several hundred kilobytes is a key too', () => {
    const long = 'Zürich 🙂 '.repeat(40_000);
    expect(decodeKey(encodeKey(long))).toBe(long);
  });

  test('damaged bytes are told as such', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 20 }),
          fc.tuple(key, fc.nat()).map(([k, cut]) => encodeKey(k).slice(0, cut % encodeKey(k).length)),
        ),
        (bytes) => {
          try {
            const k = decodeKey(bytes);
            expect(typeof k === 'number' || encodeKey(k).length > 0).toBe(true);
          } catch (error) {
            expect(isMillraceError(error) && error.code).toBe('codec/corrupt');
          }
        },
      ),
      { numRuns: 2_000 },
    );
    for (const bytes of [
      [],
      [0],
      [7],
      [8],
      [1, 97],
      [2, 0],
      [6, 5],
      [5, 5],
      [8, 255],
      [8, 49],
      [8, 46, 255],
      [3, 255],
      [3, 0x7a, 255],
      [3, 45, 255],
    ]) {
      expect(errorCode(() => decodeKey(Uint8Array.from(bytes)))).toBe('codec/corrupt');
    }
  });
});

describe('hash of a key', () => {
  test('is that of its canonical bytes, by the quick way for texts too', () => {
    fc.assert(
      fc.property(key, (k) => {
        expect(hashKey(k)).toBe(hashOfBytes(encodeKey(k)));
      }),
      { numRuns: 1_000 },
    );
    for (let length = 0; length < 20; length++) {
      for (const tail of ['', 'é', '🙂']) {
        const k = 'abcdefghijklmnopqrst'.slice(0, length) + tail;
        expect(hashKey(k)).toBe(hashOfBytes(encodeKey(k)));
      }
    }
  });

  test('spreads neighbouring keys evenly', () => {
    const kinds: ((i: number) => Key)[] = [
      (i) => i,
      (i) => -i,
      (i) => 1.7e12 + i * 1_000,
      (i) => BigInt(i),
      (i) => `user-${i}`,
      (i) => [i >> 4, i & 15],
    ];
    for (const make of kinds) {
      const groups = new Int32Array(128);
      const hashes = new Set<number>();
      for (let i = 0; i < 64_000; i++) {
        hashes.add(hashKey(make(i)));
        groups[(hashKey(make(i)) >>> 0) % 128]!++;
      }
      // Five standard deviations of a fair dice.
      expect(Math.max(...groups.map((n) => Math.abs(n - 500)))).toBeLessThan(5 * Math.sqrt(500));
      expect(hashes.size).toBeGreaterThan(63_900);
    }
  });
});

describe('order of keys', () => {
  test('is total: by kind, then by value, tuples part by part', () => {
    fc.assert(
      fc.property(key, key, key, (a, b, c) => {
        expect(Math.sign(compareKeys(a, b))).toBe(-Math.sign(compareKeys(b, a)) + 0);
        if (compareKeys(a, b) <= 0 && compareKeys(b, c) <= 0) expect(compareKeys(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 1_000 },
    );
    expect([[2], [1, 5], [1]].sort(compareKeys)).toEqual([[1], [1, 5], [2]]);
    expect(['b', 2, 'a', 10, true].sort(compareKeys)).toEqual([true, 2, 10, 'a', 'b']);
  });
});

test.each([undefined, null, NaN, {}, Symbol('x'), () => 0, [1, undefined], [[NaN]], new Date(0)])('%s is no key', (k) => {
  expect(errorCode(() => new KeyedTable().enter(k as never))).toBe('key/invalid');
  expect(errorCode(() => encodeKey(k as never))).toBe('key/invalid');
});
