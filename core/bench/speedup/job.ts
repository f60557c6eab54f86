import { defineJob, discard, generator } from '../../src/index.ts';
import { work } from '../work.ts';

export interface SpeedupConfig {
  readonly steps: number;
  readonly keys: number;
}

/** A count per key of elements that each take some work, on as many threads as there are subtasks. */
export default defineJob<SpeedupConfig>({
  name: 'speedup',
  module: import.meta,
  build(env, { steps, keys }) {
    env
      .from(generator({ create: (i) => i, count: Number.MAX_SAFE_INTEGER }), { uid: 'numbers' })
      .keyBy((i) => i % keys)
      .reduce((a, b) => work(a ^ b, steps), { uid: 'work' })
      .sinkTo(discard(), { uid: 'nowhere' });
  },
});
