/** The generator's state: four 32-bit words. */
export type RandomState = readonly [number, number, number, number];

/**
 * A seeded random generator whose state is part of the snapshot (sfc32 of PractRand's Chris Doty-Humphrey; seeded through a
 * splitmix32 sequence). Not for secrets.
 */
export class RandomGenerator {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  constructor(seed: number) {
    let state = seed | 0;
    const word = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.a = word();
    this.b = word();
    this.c = word();
    this.counter = 1;
    // The first outputs of nearby seeds resemble each other.
    for (let i = 0; i < 12; i++) this.int32();
  }

  /** Begins the sequence of numbers that belongs to an index, a whole number: always the same one under the same seed. */
  reseed(seed: number, index: number): void {
    this.a = seed | 0;
    this.b = index | 0;
    this.c = Math.floor(index / 4_294_967_296) ^ Math.floor(seed / 4_294_967_296);
    this.counter = 1;
    for (let i = 0; i < 15; i++) this.int32();
  }

  /** Uniform in [0, 1), with 53 bits. */
  next(): number {
    const high = this.int32() >>> 5;
    const low = this.int32() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /** Any 32-bit integer. */
  int32(): number {
    const result = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + result;
    this.c |= 0;
    return result;
  }

  state(): RandomState {
    return [this.a, this.b, this.c, this.counter];
  }

  restore(state: RandomState): void {
    [this.a, this.b, this.c, this.counter] = state;
  }
}

/** A seed from a text, such as an operator's uid: 32-bit FNV-1a over its code units. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
