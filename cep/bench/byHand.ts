import type { Tick } from './ticks.ts';

type Take = (found: unknown) => void;

/** A next B next C: the last two events of a key, as far as they fit. */
export function nextThree(ticks: readonly Tick[], take: Take): void {
  const keys = new Map<string, { a: Tick | undefined; b: Tick | undefined }>();
  for (const tick of ticks) {
    let state = keys.get(tick.key);
    if (state === undefined) keys.set(tick.key, (state = { a: undefined, b: undefined }));
    if (tick.type === 2 && state.b !== undefined) take({ a: [state.a], b: [state.b], c: [tick] });
    if (tick.type === 1 && state.a !== undefined && state.b === undefined) state.b = tick;
    else {
      state.a = tick.type === 0 ? tick : undefined;
      state.b = undefined;
    }
  }
}

/** A followedBy B followedBy C: all that wait go on together. */
export function followedThree(within: number): (ticks: readonly Tick[], take: Take) => void {
  return (ticks, take) => {
    let firsts: Tick[] = [];
    let pairs: { a: Tick; b: Tick }[] = [];
    for (const tick of ticks) {
      if (tick.type === 0) firsts.push(tick);
      else if (tick.type === 1) {
        for (const a of firsts) if (tick.at - a.at < within) pairs.push({ a, b: tick });
        firsts = [];
      } else if (tick.type === 2) {
        for (const { a, b } of pairs) if (tick.at - a.at < within) take({ a: [a], b: [b], c: [tick] });
        pairs = [];
      }
    }
  };
}

/** Whether there is any A before a B before this C: the latest A of all such. */
export function anyThree(within: number): (ticks: readonly Tick[], take: Take) => void {
  return (ticks, take) => {
    let latestA = -Infinity;
    let latestAB = -Infinity;
    for (const tick of ticks) {
      if (tick.type === 0) latestA = tick.at;
      else if (tick.type === 1) latestAB = latestA;
      else if (tick.type === 2 && tick.at - latestAB < within) take(tick);
    }
  };
}

interface Loop {
  readonly ticks: Tick[];
  total: number;
}

/** Cheap ticks up to a sum, then a dear one: what waits is held as lists with their sums. */
export function sumLoop(ticks: readonly Tick[], take: Take): void {
  const keys = new Map<string, Loop[]>();
  for (const tick of ticks) {
    let loops = keys.get(tick.key);
    if (loops === undefined) keys.set(tick.key, (loops = []));
    let kept = 0;
    for (const loop of loops) if (tick.at - loop.ticks[0]!.at < 50_000) loops[kept++] = loop;
    loops.length = kept;
    if (tick.price > 90) {
      const found = loops.find(({ total }) => total > 100);
      if (found === undefined) continue;
      take({ loop: found.ticks, end: [tick] });
      loops.length = 0;
    } else if (tick.price < 40) {
      for (const loop of loops) {
        if (loop.total + tick.price >= 200) continue;
        loop.ticks.push(tick);
        loop.total += tick.price;
      }
      loops.push({ ticks: [tick], total: tick.price });
    }
  }
}
