import type { FoundMatch } from './executor.ts';

/**
 * A set of partial matches in which common parts exist once, after the idea of the timed enumerable compact sets of CORE (PVLDB 15(9), 2022).
 * A *take* stands for every way to its parent, prolonged by an event; without a parent it begins a run. A *union* stands for both of its
 * sides, the one with the latest start on the left, so that what has expired is found on the right and cut off.
 */
export class CompactNode {
  /** The step that took the event; −1 for a union. */
  readonly step: number;
  readonly state: number;
  readonly event: unknown;
  readonly time: number;
  readonly seq: number;
  /** A take's parent; a union's left side. */
  readonly left: CompactNode | undefined;
  /** A union's right side, until all of it has expired. */
  right: CompactNode | undefined;
  /** The times of the latest and of the earliest start among the partial matches. */
  readonly max: number;
  readonly min: number;

  constructor(
    step: number,
    state: number,
    event: unknown,
    time: number,
    seq: number,
    left: CompactNode | undefined,
    right: CompactNode | undefined,
  ) {
    this.step = step;
    this.state = state;
    this.event = event;
    this.time = time;
    this.seq = seq;
    this.left = left;
    this.right = right;
    this.max = left === undefined ? time : left.max;
    this.min = left === undefined ? time : right === undefined ? left.min : Math.min(left.min, right.min);
  }
}

/** Both sets in one. */
export function union(a: CompactNode | undefined, b: CompactNode | undefined): CompactNode | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return a.max >= b.max ? new CompactNode(-1, -1, undefined, 0, 0, a, b) : new CompactNode(-1, -1, undefined, 0, 0, b, a);
}

/** Cuts off what began up to `floor` and so has expired; gives how many sides are left along the spine. */
export function cutExpired(root: CompactNode, floor: number): number {
  let length = 1;
  for (let node: CompactNode | undefined = root; node !== undefined && node.step < 0; node = node.right, length++) {
    if (node.right !== undefined && node.right.max <= floor) node.right = undefined;
  }
  return length;
}

/**
 * Every partial match of a set whose start is later than `floor` and not later than `ceiling`, one after the other, until `take` says stop by
 * giving false. The work is in proportion to what is found.
 */
export function enumerate(root: CompactNode, floor: number, ceiling: number, take: (found: FoundMatch) => boolean): void {
  const nodes: CompactNode[] = [];
  const tails: (FoundMatch | undefined)[] = [];
  let node: CompactNode | undefined = root;
  let tail: FoundMatch | undefined;
  while (node !== undefined) {
    if (node.max <= floor || node.min > ceiling) node = undefined;
    else if (node.step < 0) {
      if (node.right !== undefined && node.right.max > floor) {
        nodes.push(node.right);
        tails.push(tail);
      }
      node = node.left;
    } else {
      tail = { taken: node, next: tail };
      node = node.left;
      if (node === undefined && !take(tail)) return;
    }
    if (node === undefined) {
      node = nodes.pop();
      tail = tails.pop();
    }
  }
}
