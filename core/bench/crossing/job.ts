import { writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { defineJob, defineSink, generator } from '../../src/index.ts';

export interface CrossingConfig {
  readonly elements: number;
  /** Elements a second. */
  readonly rate: number;
  /** Where each subtask writes how long its elements took, in µs. */
  readonly output: string;
}

/** The clock that all threads share, in ms. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Elements that say when they were sent, to the other thread or to their own; those of the other count. */
export default defineJob<CrossingConfig>({
  name: 'crossing',
  module: import.meta,
  build(env, { elements, rate, output }) {
    const times = defineSink<{ readonly at: number; readonly from: number }>({
      name: 'times',
      open: ({ subtask }) => {
        const took: number[] = [];
        return {
          write: () => undefined,
          writeOne({ at, from }) {
            if (from !== threadId) took.push((now() - at) * 1000);
          },
          prepare: async () => [],
          commit: async () => undefined,
          close: async () => writeFileSync(`${output}/${subtask}.json`, JSON.stringify(took)),
        };
      },
    });
    env
      .from(generator({ count: elements, rate, create: (i) => ({ key: i % 64, at: now(), from: threadId }) }), { uid: 'elements' })
      .keyBy(({ key }) => key)
      .reduce((_, b) => b, { uid: 'last' })
      .sinkTo(times, { uid: 'times' });
  },
});
