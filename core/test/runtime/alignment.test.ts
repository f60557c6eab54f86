import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { count, type EventTime, forEach, StreamEnvironment, tumbling } from '../../src/index.ts';
import { textFile } from '../../src/node.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const SECONDS = 60_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-alignment-'));
  // The later day comes first by name: read one after the other, the earlier one would be late.
  for (const [name, day] of [
    ['a.log', 1],
    ['b.log', 0],
  ] as const) {
    // prettier-ignore
    writeFileSync(join(folder, name), Array.from({ length: SECONDS }, (_, second) => `${day * DAY + second * 1000}\n`).join(''));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Counted {
  readonly elements: number;
  readonly late: number;
  /** The most windows that were open at a time. */
  readonly mostLive: number;
}

async function countByMinutes(alignment: EventTime<number>['alignment']): Promise<Counted> {
  /** The starts of windows that have got an element and have not fired. */
  const live = new Set<number>();
  let mostLive = 0;
  let elements = 0;
  const env = new StreamEnvironment();
  const time = { timestamp: (at: number) => at, ...(alignment !== undefined && { alignment }) };
  env
    .from(textFile(folder, { parse: Number }), { uid: 'days', time })
    .map((at) => {
      live.add(Math.floor(at / MINUTE) * MINUTE);
      mostLive = Math.max(mostLive, live.size);
      return at;
    })
    .keyBy(() => 'all')
    .window(tumbling({ minutes: 1 }))
    .aggregate({ n: count() }, { uid: 'minutes' })
    .sinkTo(
      forEach(({ window, value }) => {
        live.delete(window.start);
        elements += value.n;
      }),
    );
  const job = await env.start('days');
  await job.finished;
  return { elements, late: job.metrics().operators.find(({ uid }) => uid === 'minutes')!.late, mostLive };
}

describe('two files a day apart', () => {
  test('with a drift of a minute keep few windows open, and nothing is late', async () => {
    const { elements, late, mostLive } = await countByMinutes({ group: 'days', maxDrift: { minutes: 1 } });
    expect({ elements, late }).toEqual({ elements: 2 * SECONDS, late: 0 });
    // A file is read in batches of 2,000 lines, here of 33 minutes: one of the file that is ahead, one of the other.
    expect(mostLive).toBeLessThan(100);
  });

  test('that may drift as far as they like hold very many windows open', async () => {
    const { elements, mostLive } = await countByMinutes({ group: 'days', maxDrift: { days: 3 } });
    expect(elements).toBe(2 * SECONDS);
    expect(mostLive).toBeGreaterThan(900);
  });
});
