import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Element } from '../../src/element/element.ts';
import { ProcessCrew } from '../../src/node/processCrew.ts';
import { ExchangeWriter, hashRoute, type KeyGroupRoute, type Outlet, type Route, roundRobinRoute } from '../../src/runtime/exchange.ts';
import { HostLink } from '../../src/runtime/hostLink.ts';
import { keyGroupOf, keyGroupRange } from '../../src/state/keyGroups.ts';
import { decodeFrame } from '../../src/transport/frame.ts';
import totals from '../workers/fixtures/totals/job.ts';
import { readRecords } from './protocolReader.ts';

interface Row {
  readonly id: number;
  readonly name: string;
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const NO_WRITER = { waiting: 0, batch: 100, sent() {}, taken() {} } as never;

/** Sends rows to channels of which some are on another host: what goes there as frames, and what stays. */
function send(rows: readonly Row[], channels: number, isThere: (channel: number) => boolean, route: Route | KeyGroupRoute) {
  const frames: Uint8Array<ArrayBuffer>[] = [];
  const local: { channel: number; element: Element }[] = [];
  const link = new HostLink((frame) => frames.push(frame as Uint8Array<ArrayBuffer>));
  const outlets = Array.from({ length: channels }, (_, channel): Outlet =>
    isThere(channel) ? link.outlet(channel, NO_WRITER, 'rows') : { push: (element) => void local.push({ channel, element }) },
  );
  const writer = new ExchangeWriter(outlets, route);
  for (const [i, row] of rows.entries()) {
    writer.push(row, i * 10);
    if (i % 150 === 149) writer.flush();
  }
  writer.broadcast({ kind: 'watermark', timestamp: 1 });
  return { frames, local };
}

const row = fc.record({ id: fc.nat(), name: fc.string({ maxLength: 5, unit: 'grapheme' }) }, { noNullPrototype: true });

describe('a frame of a hash exchange', () => {
  test('has the key group of every record, as another program reads it', () => {
    const arbitrary = fc.record({
      rows: fc.array(row, { maxLength: 400, size: 'max' }),
      channels: fc.integer({ min: 1, max: 5 }),
      there: fc.nat({ max: 31 }),
      maxParallelism: fc.constantFrom(5, 128, 32_768),
    });
    fc.assert(
      fc.property(arbitrary, ({ rows, channels, there, maxParallelism }) => {
        const key = ({ name, id }: Row): string | number => (id % 2 === 0 ? name : id);
        const isThere = (channel: number): boolean => ((there >> channel) & 1) === 1;
        const { frames, local } = send(rows, channels, isThere, hashRoute(key, maxParallelism, channels));
        let seen = 0;
        for (const frame of frames) {
          const read = readRecords(frame);
          if (read === undefined) continue;
          const { first, last } = keyGroupRange(maxParallelism, channels, read.channel);
          const ids = read.columns.get('id') as readonly number[];
          const names = read.columns.get('name') as readonly string[];
          expect(read.keyGroups).toEqual(ids.map((id, i) => keyGroupOf(key({ id, name: names[i]! }), maxParallelism)));
          expect(read.keyGroups!.every((group) => group >= first && group <= last)).toBe(true);
          // What this engine reads is all else.
          const values = ids.map((id, i) => ({ id, name: names[i]! }));
          const timestamps = read.timestamps ?? Array.from(ids, () => -Infinity);
          expect(decodeFrame(frame)).toEqual({ kind: 'records', values, timestamps });
          seen += read.count;
        }
        for (const { element } of local) {
          if (element.kind !== 'records') continue;
          expect(Object.keys(element)).toEqual(['kind', 'values', 'timestamps']);
          seen += element.values.length;
        }
        expect(seen).toBe(rows.length);
      }),
      { numRuns: 200 },
    );
  });

  test('gives the first group to a record whose key cannot be had, where it goes', () => {
    const key = ({ id }: Row): number => {
      if (id === 1) throw new Error('no key');
      return id;
    };
    const rows = [0, 1, 2].map((id) => ({ id, name: '' }));
    const { frames } = send(rows, 2, () => true, hashRoute(key, 128, 2));
    const groups: number[] = [];
    for (const frame of frames) {
      const read = readRecords(frame);
      read?.columns.get('id')!.forEach((id, i) => (groups[id as number] = read.keyGroups![i]!));
    }
    expect(groups).toEqual([keyGroupOf(0, 128), 0, keyGroupOf(2, 128)]);
  });

  test('that does not hash has none', () => {
    const { frames } = send([{ id: 1, name: 'a' }], 1, () => true, roundRobinRoute(1, 0));
    expect(frames.map((frame) => readRecords(frame)?.keyGroups)).toEqual([undefined, undefined]);
    expect(readRecords(frames[0]!)!.columns.get('id')).toEqual([1]);
  });
});

describe('a job in child processes', { timeout: 60_000 }, () => {
  let output: string | undefined;
  afterEach(async () => {
    vi.restoreAllMocks();
    if (output !== undefined) await rm(output, { recursive: true, force: true });
  });

  test('sends key groups along its hash exchange, and nowhere else', async () => {
    output = await mkdtemp(join(tmpdir(), 'millrace-groups-'));
    const prototype = ProcessCrew.prototype as unknown as { route: (this: ProcessCrew, frame: Uint8Array) => void };
    const { route } = prototype;
    const counts = { keyed: 0, unkeyed: 0 };
    vi.spyOn(prototype, 'route').mockImplementation(function look(this: ProcessCrew, frame: Uint8Array) {
      const read = readRecords(frame);
      if (read !== undefined) {
        const numbers = read.columns.get('i') as readonly number[];
        // Four ways of the rebalance, then four of the hash exchange.
        const isKeyed = read.channel >= 4;
        expect(read.keyGroups).toEqual(isKeyed ? numbers.map((i) => keyGroupOf(i % 5, 128)) : undefined);
        counts[isKeyed ? 'keyed' : 'unkeyed'] += read.count;
      }
      return route.call(this, frame);
    });
    await totals.run({ output, elements: 2000 }, { logger: SILENT, driver: 'processes', parallelism: 2 });
    expect(counts.keyed).toBeGreaterThan(0);
    expect(counts.unkeyed).toBeGreaterThan(0);
  });
});
