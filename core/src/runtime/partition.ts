import type { Element } from '../element/element.ts';
import type { Key } from '../state/key.ts';
import type { RecordCursor } from '../state/recordCursor.ts';
import type { RecordOrder } from '../state/recordPile.ts';
import { RecordSorter } from '../state/recordSorter.ts';
import type { Workspace } from '../state/spill.ts';
import type { Outlet } from './exchange.ts';

/**
 * A blocking exchange as one consumer subtask sees it: takes everything that its producers send, sorted where the consumer wants it
 * so, spilled to disk when memory is short, and gives it out when all producers have ended.
 */
export class Partition implements Outlet {
  /** The chains that it leads from and to, by id. */
  readonly from: number;
  readonly to: number;
  private readonly sorter: RecordSorter;
  private readonly isKept: boolean;
  private producers: number;
  private readonly onComplete: () => void;

  constructor(parts: {
    readonly from: number;
    readonly to: number;
    readonly producers: number;
    readonly sorted: RecordOrder;
    readonly key: ((value: never) => Key) | undefined;
    readonly workspace: Workspace;
    /** Its consumer may have to read it again. */
    readonly isKept: boolean;
    readonly onComplete: () => void;
  }) {
    const { producers, sorted, key, workspace, isKept, onComplete } = parts;
    this.from = parts.from;
    this.to = parts.to;
    this.producers = producers;
    this.isKept = isKept;
    this.onComplete = onComplete;
    this.sorter = new RecordSorter(sorted, key ?? keyless, workspace, isKept);
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
