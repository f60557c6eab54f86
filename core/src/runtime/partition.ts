import type { Element } from '../element/element.ts';
import type { Key } from '../state/key.ts';
import type { RecordCursor } from '../state/recordCursor.ts';
import type { RecordOrder } from '../state/recordPile.ts';
import { RecordSorter, type StoredRecords } from '../state/recordSorter.ts';
import type { KeptSpace, Workspace } from '../state/spill.ts';
import type { Outlet } from './exchange.ts';

/**
 * A blocking exchange as one consumer subtask sees it: takes everything that its producers send, sorted where the consumer wants it
 * so, spilled to disk when memory is short, and gives it out when all producers have ended.
 */
export class Partition implements Outlet {
  readonly workspace: Workspace;
  private readonly sorter: RecordSorter;
  private readonly isKept: boolean;
  private producers: number;
  private readonly onComplete: () => void;

  constructor(parts: {
    readonly producers: number;
    readonly sorted: RecordOrder;
    readonly key: ((value: never) => Key) | undefined;
    readonly workspace: Workspace;
    /** Its consumer may have to read it again. */
    readonly isKept: boolean;
    /** Where it is kept for consumers elsewhere; `undefined`: with this process. */
    readonly space: KeptSpace | undefined;
    readonly onComplete: () => void;
  }) {
    const { producers, sorted, key, workspace, isKept, space, onComplete } = parts;
    this.workspace = workspace;
    this.producers = producers;
    this.isKept = isKept;
    this.onComplete = onComplete;
    this.sorter = new RecordSorter(sorted, key ?? keyless, workspace, { isKept, space });
  }

  get isComplete(): boolean {
    return this.producers === 0;
  }

  push(element: Element): void {
    if (element.kind === 'end' && --this.producers === 0) this.onComplete();
    if (element.kind !== 'records') return;
    const { values, timestamps } = element;
    for (let i = 0; i < values.length; i++) this.sorter.add(values[i], timestamps[i]!);
  }

  /** Puts it where it is there for consumers elsewhere too. When it is complete. */
  store(space: KeptSpace): StoredRecords {
    return this.sorter.store(space);
  }

  /** Takes over what another has stored. */
  restore(records: StoredRecords, space: KeptSpace): void {
    this.sorter.restore(records, space);
    this.producers = 0;
  }

  /** Everything, in order, for the input of that number. What was read is let go, unless it is kept. */
  read(input: number): RecordCursor {
    return this.sorter.read(input);
  }

  /** Its consumer reads no more. */
  release(): void {
    if (!this.isKept) this.dispose();
  }

  dispose(): void {
    this.sorter.dispose();
  }
}

/** Everything belongs together. */
function keyless(): Key {
  return '';
}
