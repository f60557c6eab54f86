import type { Element } from '../element/element.ts';
import type { Control } from './control.ts';

/** Records that may wait in a channel before its writer is stopped; it goes on when half of them are gone. */
export const DEFAULT_CREDIT = 8192;

/** Elements that wait for a task. */
export interface ElementQueue {
  /** The next element, or `undefined`. */
  poll(): Element | undefined;
  readonly isEmpty: boolean;
}

/**
 * The way from one subtask to another on the same thread: elements in order, bounded by credit. What a writer pushes beyond its
 * credit is kept (an overdraft); it is the writer's control that stops it before its next call.
 */
export class Channel implements ElementQueue {
  private readonly elements: (Element | undefined)[] = [];
  private head = 0;
  private records = 0;
  private blocking = false;
  private readonly credit: number;
  private readonly writer: Control;
  private readonly onElement: () => void;

  constructor(writer: Control, onElement: () => void, credit: number = DEFAULT_CREDIT) {
    this.writer = writer;
    this.onElement = onElement;
    this.credit = credit;
  }

  /** Records that wait. */
  get size(): number {
    return this.records;
  }

  push(element: Element): void {
    this.elements.push(element);
    if (element.kind === 'records') {
      this.records += element.values.length;
      if (!this.blocking && this.records >= this.credit) {
        this.blocking = true;
        this.writer.block();
      }
    }
    this.onElement();
  }

  poll(): Element | undefined {
    if (this.head === this.elements.length) return undefined;
    const element = this.elements[this.head]!;
    this.elements[this.head++] = undefined;
    if (this.head === this.elements.length) {
      this.elements.length = 0;
      this.head = 0;
    } else if (this.head >= 1024) {
      this.elements.splice(0, this.head);
      this.head = 0;
    }
    if (element.kind === 'records') this.taken(element.values.length);
    return element;
  }

  get isEmpty(): boolean {
    return this.head === this.elements.length;
  }

  private taken(records: number): void {
    this.records -= records;
    if (!this.blocking || this.records > this.credit / 2) return;
    this.blocking = false;
    this.writer.unblock();
  }
}
