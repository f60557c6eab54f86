/** What flows through a random job. */
export interface Item {
  /** Of the event that it came of, as long as it stands for one; empty for what is made of several. */
  readonly id: string;
  readonly key: string;
  readonly n: number;
}

/** An element of a source. */
export interface Event extends Item {
  /** When it happened, in ms. Always even: see `Flow.even`. */
  readonly at: number;
}

/** Joins two numbers into one that shows whenever one of them, or their order, was another. */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x3c6ef372, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) & 0x3fffffff;
}

/** All of some numbers, whatever their order. */
export function mixAll(numbers: Iterable<number>): number {
  return [...numbers].sort((a, b) => a - b).reduce(mix, 17);
}

/** A number of a text. */
export function numberOf(text: string): number {
  let hash = 7;
  for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i));
  return hash;
}
