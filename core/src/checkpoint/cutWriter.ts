import type { Key } from '../state/key.ts';
import type { CutSink } from '../state/recordSink.ts';
import type { StateForm } from '../state/stateForm.ts';
import { KeyedSegmentWriter } from './keyedSegment.ts';
import type { SegmentMemory } from './segmentMemory.ts';

/** Writes a cut of keyed state: records, and what is gone in segments of its own, which stand before those of the records. */
export class CutWriter extends KeyedSegmentWriter implements CutSink {
  readonly tombstones: KeyedSegmentWriter;

  constructor(formOf?: (state: string) => StateForm | undefined, memory?: SegmentMemory) {
    super(formOf, memory);
    this.tombstones = new KeyedSegmentWriter(undefined, memory);
  }

  gone(key: Key): void {
    this.tombstones.begin(key);
    this.tombstones.end();
  }

  /** The segments of what has not been taken yet, in their order. */
  finishAll(): Uint8Array[] {
    return [this.tombstones, this].filter((writer) => writer.length > 0).map((writer) => writer.finish());
  }
}
