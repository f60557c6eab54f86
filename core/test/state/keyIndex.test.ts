import { describe, expect, test } from 'vitest';
import { encodeKey, hashKey, type Key } from '../../src/state/key.ts';
import { KeyIndex } from '../../src/state/keyIndex.ts';
import { RandomGenerator } from '../../src/operators/random.ts';

const address = (key: Key): string => encodeKey(key).join();

/** Follows an index with a plain map by canonical bytes, and compares the two. */
class Followed {
  readonly index = new KeyIndex();
  private readonly slots = new Map<string, number>();
  private readonly keys = new Map<number, Key>();

  insert(key: Key): void {
    const slot = this.index.findOrInsert(key);
    const known = this.slots.get(address(key));
    if (known === undefined) {
      expect(this.keys.has(slot)).toBe(false);
      this.slots.set(address(key), slot);
      this.keys.set(slot, key);
    } else if (known !== slot) expect.fail(`slot ${slot} instead of ${known}`);
  }

  find(key: Key): void {
    const known = this.slots.get(address(key)) ?? -1;
    if (this.index.find(key) !== known) expect.fail(`found ${this.index.find(key)} instead of ${known}`);
  }

  delete(key: Key): void {
    const slot = this.index.find(key);
    if (slot < 0) return;
    this.index.delete(slot);
    this.slots.delete(address(key));
    this.keys.delete(slot);
  }

  check(): void {
    expect(this.index.size).toBe(this.slots.size);
    const entries = [...this.index.entries()];
    expect(entries.map(([slot]) => slot)).toEqual([...this.keys.keys()].sort((a, b) => a - b));
    for (const [slot, key] of entries) if (address(key) !== address(this.keys.get(slot)!)) expect.fail(`slot ${slot}`);
  }
}

/** Texts that Java's polynomial cannot tell apart: `Aa` and `BB` weigh the same. */
function colliding(n: number, length = 16): string[] {
  return Array.from({ length: n }, (_, i) => Array.from({ length }, (_unused, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join(''));
}

/** The inverse of an odd number modulo 2^32. */
function inverse(odd: number): number {
  let x = odd;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}

/** A text with a given hash: the murmur step undone, then seven digits of base 31. */
function textOfHash(hash: number): string {
  let code = hash ^ (hash >>> 16);
  code = Math.imul(code, inverse(0xc2b2ae35));
  code ^= (code >>> 13) ^ (code >>> 26);
  code = Math.imul(code, inverse(0x85ebca6b));
  code ^= code >>> 16;
  code = Math.imul((code ^ 4) - 0xe6546b64, inverse(5));
  code = Math.imul((code >>> 13) | (code << 19), inverse(0x1b873593));
  code = Math.imul((code >>> 15) | (code << 17), inverse(0xcc9e2d51));
  // code = (((32 · 31 + c1) · 31 + … + c7) · 31 + 255) as bytes are added; the last byte counts −1.
  let rest = Math.imul(code + 1, inverse(31));
  let base = 32;
  for (let i = 0; i < 7; i++) base = (Math.imul(base, 31) + 40) | 0;
  rest = (rest - base) >>> 0;
  const units: number[] = [];
  for (let i = 0; i < 7; i++) {
    units.unshift(40 + (rest % 31));
    rest = Math.floor(rest / 31);
  }
  return String.fromCharCode(...units);
}

const KINDS: Readonly<Record<string, (i: number) => Key>> = {
  texts: (i) => `key-${i}`,
  integers: (i) => i * 3 - 1_000,
  fractions: (i) => i / 7,
  bigints: (i) => BigInt(i) * 10n ** 15n,
  tuples: (i) => [`card-${i % 97}`, i],
  'a few of each': (i) => [i, `${i}`, BigInt(i), [i], [`${i}`], i % 2 === 0][i % 6]!,
};

describe('key index', () => {
  test.each(Object.entries(KINDS))(
    '%s: against a map, over random inserts, look-ups and deletes across the change to segments',
    (_, make) => {
      const random = new RandomGenerator(7);
      const followed = new Followed();
      for (const spread of [50, 3_000, 12_000, 400]) {
        for (let step = 0; step < 12_000; step++) {
          const key = make(Math.floor(random.next() * spread));
          const choice = random.next();
          if (choice < 0.6) followed.insert(key);
          else if (choice < 0.8) followed.find(key);
          else followed.delete(key);
        }
        followed.check();
      }
    },
  );

  test('tuples are compared by value, and the first of them ends the plain map', () => {
    const index = new KeyIndex();
    const text = index.findOrInsert('a');
    expect(index.find(['a'])).toBe(-1);
    const tuple = index.findOrInsert(['a', 1]);
    expect(index.find(['a', 1])).toBe(tuple);
    expect(index.findOrInsert(['a', 1])).toBe(tuple);
    expect(index.find('a')).toBe(text);
    index.delete(tuple);
    expect(index.find(['a', 1])).toBe(-1);
    expect(index.findOrInsert('b')).toBe(tuple);
  });

  test('splits of segments keep every key, with slots in order', () => {
    const index = new KeyIndex();
    const n = 60_000;
    for (let i = 0; i < n; i++) if (index.findOrInsert(`user-${i}`) !== i) expect.fail(`${i}`);
    for (let i = 0; i < n; i++) if (index.find(`user-${i}`) !== i) expect.fail(`${i}`);
    expect(index.find('nobody')).toBe(-1);
  });

  test('a split index frees slots and hands them out again', () => {
    const index = new KeyIndex();
    const n = 30_000;
    for (let i = 0; i < n; i++) index.findOrInsert(`user-${i}`);
    for (let i = 0; i < n; i += 2) index.delete(i);
    expect(index.size).toBe(n / 2);
    expect(index.slots).toBe(n);
    for (let i = 0; i < n; i++) if (index.find(`user-${i}`) !== (i % 2 === 0 ? -1 : i)) expect.fail(`${i}`);
    for (let i = 0; i < n / 2; i++) index.findOrInsert(`new-${i}`);
    expect(index.slots).toBe(n);
    for (let i = 0; i < n / 2; i++) if (index.keyOf(index.find(`new-${i}`)) !== `new-${i}`) expect.fail(`${i}`);
  });

  test('keys of one hash are told apart, and very many of them cost no more than others', () => {
    const keys = colliding(30_000);
    expect(new Set(keys.slice(0, 100).map(hashKey)).size).toBe(1);
    const index = new KeyIndex();
    for (const [i, key] of keys.entries()) if (index.findOrInsert(key) !== i) expect.fail(`${i}`);
    for (let i = 0; i < 3_000; i++) index.findOrInsert(`other-${i}`);
    expect((Reflect.get(index, 'directory') as unknown[]).length).toBeLessThanOrEqual(2 ** 16);
    for (const i of [0, 1, 2_500, 29_999]) expect(index.find(keys[i]!)).toBe(i);
    for (let i = 0; i < 200; i++) index.delete(i * 3);
    for (let i = 0; i < 700; i++) if (index.find(keys[i]!) !== (i % 3 === 0 && i < 600 ? -1 : i)) expect.fail(`${i}`);
    const held = index.size;
    for (let i = 600; i < 700; i++) expect(index.findOrInsert(keys[i]!)).toBe(i);
    expect(index.size).toBe(held);
    index.clear();
    for (let i = 0; i < 2_500; i++) index.findOrInsert(i);
    expect(index.find(keys[700]!)).toBe(-1);
  });

  test('keys whose hashes begin alike share a segment in the end', () => {
    const index = new KeyIndex();
    const keys = Array.from({ length: 26_000 }, (_, i) => textOfHash((0x5eed << 16) | i));
    expect(hashKey(keys[77]!)).toBe(0x5eed004d);
    for (const [i, key] of keys.entries()) if (index.findOrInsert(key) !== i) expect.fail(`${i}`);
    for (const [i, key] of keys.entries()) if (index.find(key) !== i) expect.fail(`${i}`);
    expect((Reflect.get(index, 'directory') as unknown[]).length).toBe(2 ** 16);
  });

  test('coming and going does not make it grow', () => {
    const index = new KeyIndex();
    for (let i = 0; i < 3_000; i++) index.findOrInsert(`k${i}`);
    for (let i = 3_000; i < 100_000; i++) {
      index.delete(index.find(`k${i - 3_000}`));
      index.findOrInsert(`k${i}`);
    }
    expect(index.slots).toBe(3_000);
    const segments = Reflect.get(index, 'directory') as { pairs: Int32Array }[];
    expect(segments.map(({ pairs }) => pairs.length)).toEqual([2 * 8_192]);
  });

  test('clear forgets everything and begins anew', () => {
    for (const n of [10, 5_000]) {
      const index = new KeyIndex();
      for (let i = 0; i < n; i++) index.findOrInsert(i);
      index.clear();
      expect([index.size, index.slots, index.find(3), [...index.entries()]]).toEqual([0, 0, -1, []]);
      expect(index.findOrInsert('again')).toBe(0);
    }
  });

  test('keys deleted and added while they are visited', () => {
    const index = new KeyIndex();
    for (let i = 0; i < 10; i++) index.findOrInsert(i);
    const seen: Key[] = [];
    for (const [slot, key] of index.entries()) {
      seen.push(key);
      if (slot % 2 === 0) index.delete(slot);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(index.size).toBe(5);
  });
});
