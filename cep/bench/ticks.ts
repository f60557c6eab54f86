/** What the benchmarks of patterns are over: a tick a millisecond. */
export interface Tick {
  readonly key: string;
  readonly type: number;
  readonly price: number;
  readonly at: number;
}

/** Ticks of uniform types and keys, with key strings that this process has never seen. */
export function freshTicks(count: number, types: number, keys: number): Tick[] {
  const ticks: Tick[] = [];
  let state = 1;
  // Mulberry32: types and keys must not be related, as they are with a linear generator.
  const draw = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit);
  };
  for (let at = 0; at < count; at++)
    ticks.push({ key: Buffer.from(`key-${draw(keys)}`).toString('latin1'), type: draw(types), price: 1 + draw(100), at });
  return ticks;
}
