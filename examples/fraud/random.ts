/**
 * Random numbers from a seed: the same ones in every run. Several numbers make one seed, such as that of a whole simulation and
 * a day, so that each day has numbers of its own. (The generator is Doty-Humphrey's sfc32.)
 */
export class Random {
  private a = 0x9e3779b9;
  private b = 0x243f6a88;
  private c = 0xb7e15162;
  private counter = 1;

  constructor(...seeds: readonly number[]) {
    for (const seed of seeds) {
      this.a ^= seed;
      this.b ^= Math.floor(seed / 2 ** 32);
      for (let round = 0; round < 12; round++) this.next();
    }
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  /** Uniform in [from, to). */
  uniform(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** By the transformation of Box and Muller. */
  normal(mean: number, deviation: number): number {
    return mean + deviation * Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** How many events there are where `mean` are expected: counts how many uniform numbers it takes to get below e^−mean. */
  poisson(mean: number): number {
    const limit = Math.exp(-mean);
    let events = 0;
    for (let product = this.next(); product > limit; product *= this.next()) events++;
    return events;
  }
}
