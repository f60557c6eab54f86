import type { Timestamp } from '../time/timestamp.ts';
import type { Emits } from './emits.ts';
import type { OperatorContext } from './operatorContext.ts';
import type { WindowContents, WindowFiring, WindowFunction } from './windowContents.ts';
import { append, WindowCallContext } from './windowProcess.ts';

/** The elements of a window by the input that they came from. */
export interface WindowSides {
  readonly left: unknown[];
  readonly right: unknown[];
}

/** The elements of two inputs, held apart. */
export class SidedContents implements WindowContents<WindowSides> {
  private readonly fn: WindowFunction<WindowSides>;

  constructor(fn: WindowFunction<WindowSides>) {
    this.fn = fn;
  }

  add(sides: WindowSides | undefined, value: unknown, _timestamp: Timestamp, input: number): WindowSides {
    const added = sides ?? { left: [], right: [] };
    (input === 0 ? added.left : added.right).push(value);
    return added;
  }

  merge(first: WindowSides, second: WindowSides): WindowSides {
    return { left: [...first.left, ...second.left], right: [...first.right, ...second.right] };
  }

  release(): void {}

  fire(sides: WindowSides, firing: WindowFiring, results: unknown[]): WindowSides {
    this.fn(sides, firing, results);
    return sides;
  }

  save({ left, right }: WindowSides): unknown {
    return { left: [...left], right: [...right] };
  }

  load(saved: unknown): WindowSides {
    const { left, right } = saved as WindowSides;
    return { left: [...left], right: [...right] };
  }
}

/** Every pair of a window's left and right elements. A side that is empty makes no pair. */
export function joinSides(select: (left: never, right: never) => unknown): WindowFunction<WindowSides> {
  return ({ left, right }, _firing, results) => {
    for (const l of left) for (const r of right) results.push(select(l as never, r as never));
  };
}

/** Both sides at once, one of them possibly empty. */
export function groupSides(
  context: OperatorContext,
  select: (lefts: readonly never[], rights: readonly never[], context: never) => Emits,
): WindowFunction<WindowSides> {
  const call = new WindowCallContext(context);
  return ({ left, right }, firing, results) =>
    append(select([...left] as never[], [...right] as never[], call.of(firing) as never), results);
}
