/** Work on an element that nothing can be left out of: a chain of multiplications. */
export function work(seed: number, steps: number): number {
  let state = seed | 1;
  for (let i = 0; i < steps; i++) state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i) | 0;
  return state;
}

/** How many steps take so many µs on one thread. */
export function stepsFor(microseconds: number): number {
  const rounds = 20_000;
  const steps = 1000;
  let took = Infinity;
  for (let attempt = 0; attempt < 5; attempt++) {
    const start = performance.now();
    for (let i = 0; i < rounds / 10; i++) sink = work(i ^ sink, steps);
    took = Math.min(took, performance.now() - start);
  }
  return Math.round((microseconds * steps * rounds) / 10 / (took * 1000));
}

/** Keeps the result in use. */
let sink = 0;
