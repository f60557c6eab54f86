import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventBuffer } from '../src/operator/eventBuffer.ts';

interface Entry {
  readonly time: number;
  readonly rank: number;
  readonly id: number;
}

const arrivals = fc.array(
  fc.record({ time: fc.integer({ min: 0, max: 8 }), rank: fc.integer({ min: 0, max: 2 }), takes: fc.integer({ min: 0, max: 3 }) }),
  { maxLength: 40 },
);

test.each([false, true])(
  'gives events in the order of time, then as the comparator says, then as they came (comparator: %s, also restored)',
  (compares) => {
    const compare = compares ? (a: Entry, b: Entry): number => a.rank - b.rank : undefined;
    const property = fc.property(arrivals, fc.boolean(), (list, restores) => {
      let buffer = new EventBuffer<Entry>(compare);
      const held: Entry[] = [];
      let watermark = -1;
      for (const [id, { time, rank, takes }] of list.entries()) {
        // What is at or behind the watermark never comes here.
        const entry = { time: Math.max(time, watermark + 1), rank, id };
        buffer.add(entry.time, 'k', entry);
        held.push(entry);
        held.sort((a, b) => a.time - b.time || (compares ? a.rank - b.rank : 0) || a.id - b.id);
        watermark = Math.max(watermark, Math.min(watermark + takes, buffer.earliest));
        while (buffer.earliest <= watermark) {
          buffer.take();
          expect(buffer.value).toEqual(held.shift());
        }
        if (!restores) continue;
        const restored = new EventBuffer<Entry>(compare);
        for (const each of buffer.entries()) restored.restore(each);
        buffer = restored;
      }
      while (buffer.earliest < Infinity) {
        buffer.take();
        expect(buffer.value).toEqual(held.shift());
      }
      expect(held).toEqual([]);
    });
    fc.assert(property);
  },
);
