import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/checkpoint/checksum.ts';
import { CutWriter } from '../../src/checkpoint/cutWriter.ts';
import { MANIFEST_VERSION, type Manifest, type Segment } from '../../src/checkpoint/manifest.ts';
import { CheckpointReader } from '../../src/checkpoint/restore.ts';
import { encodeSelfContained } from '../../src/state/selfContained.ts';

/** Keys that a cut says are gone, and values that it has. */
interface Cut {
  readonly gone: readonly string[];
  readonly values: readonly (readonly [string, number])[];
}

const PLAIN = { watermark: 0, random: undefined, operator: [], feed: undefined, finished: false };

/** A checkpoint of one subtask: a whole and cuts of changes, each segment an object of its own. */
class Written {
  readonly objects = new Map<string, Uint8Array>();
  /** Names of objects, in the order in which they were read. */
  readonly reads: string[] = [];
  readonly manifest: Manifest;

  constructor([whole, ...changes]: readonly [Cut, ...Cut[]]) {
    this.manifest = {
      version: MANIFEST_VERSION,
      job: 'parts',
      checkpoint: 1,
      epoch: 1,
      takenAt: 0,
      kind: 'checkpoint',
      maxParallelism: 128,
      operators: [{ uid: 'held', kind: 'process', parallelism: 1 }],
      subtasks: [
        {
          uid: 'held',
          subtask: 0,
          parallelism: 1,
          plain: this.add(encodeSelfContained(PLAIN)),
          own: null,
          whole: this.addCut(whole),
          changes: changes.flatMap((cut) => this.addCut(cut)),
        },
      ],
      enumerators: {},
    };
  }

  reader(): CheckpointReader {
    const read = async (name: string): Promise<Uint8Array | undefined> => {
      this.reads.push(name);
      return this.objects.get(name);
    };
    return new CheckpointReader(this.manifest, { read }, crc32);
  }

  private addCut({ gone, values }: Cut): Segment[] {
    const writer = new CutWriter();
    // What is gone may be told at any time.
    for (const [key, value] of values) {
      writer.begin(key);
      writer.entry('n', undefined, value, undefined);
      writer.end();
    }
    for (const key of gone) writer.gone(key);
    return writer.finishAll().map((bytes) => this.add(bytes));
  }

  private add(bytes: Uint8Array): Segment {
    const object = `object-${this.objects.size}`;
    this.objects.set(object, bytes);
    return { object, offset: 0, length: bytes.length, checksum: crc32(bytes) };
  }
}

async function restored(written: Written): Promise<Map<unknown, unknown>> {
  const { keyed } = (await written.reader().subtask('held', 0, 1))!;
  const values = new Map<unknown, unknown>();
  for await (const entries of keyed) {
    for (const { key, value } of entries) {
      expect(values.has(key)).toBe(false);
      values.set(key, value);
    }
  }
  return values;
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const cut = fc.record({
  gone: fc.uniqueArray(key),
  values: fc.uniqueArray(fc.tuple(key, fc.nat(9)), { selector: ([name]) => name }),
});

describe('a restore', () => {
  test('gives of each key what the newest cut has, once', async () => {
    await fc.assert(
      fc.asyncProperty(cut, fc.array(cut, { maxLength: 5 }), async (whole, changes) => {
        const held = new Map(whole.values);
        for (const { gone, values } of changes) {
          for (const name of gone) held.delete(name);
          for (const [name, value] of values) held.set(name, value);
        }
        const got = await restored(new Written([{ gone: [], values: whole.values }, ...changes]));
        expect(got).toEqual(held);
      }),
    );
  });

  test('reads a part when the one before has been gone through', async () => {
    const written = new Written([
      { gone: [], values: [['a', 1]] },
      { gone: [], values: [['b', 2]] },
    ]);
    const { keyed } = (await written.reader().subtask('held', 0, 1))!;
    const parts = keyed[Symbol.asyncIterator]();
    const seen: unknown[] = [];
    for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
      seen.push(
        [...part.value].map(({ key: name }) => name),
        [...written.reads],
      );
    }
    expect(seen).toEqual([['b'], ['object-0', 'object-2'], ['a'], ['object-0', 'object-2', 'object-1']]);
  });

  test('does not take what was damaged after the look', async () => {
    const written = new Written([{ gone: [], values: [['a', 1]] }]);
    await written.reader().verify();
    written.objects.get('object-1')![12]! ^= 1;
    await expect(restored(written)).rejects.toMatchObject({ code: 'checkpoint/corrupt' });
  });
});
