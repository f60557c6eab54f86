import type { Element } from '../element/element.ts';
import type { Outlet } from './exchange.ts';
import type { CreditGate } from './creditWindow.ts';

/** Elements that wait for a task. */
export interface ElementQueue {
  /** The next element, or `undefined`. */
  poll(): Element | undefined;
  readonly isEmpty: boolean;
}

/** A queue whose head moves on without shifting all that is behind it. */
export class Fifo<T> {
  private readonly items: (T | undefined)[] = [];
  private head = 0;

  get isEmpty(): boolean {
    return this.head === this.items.length;
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    if (this.head === this.items.length) return undefined;
    const item = this.items[this.head]!;
    this.items[this.head++] = undefined;
    if (this.head === this.items.length) {
      this.items.length = 0;
      this.head = 0;
    } else if (this.head >= 1024) {
      this.items.splice(0, this.head);
      this.head = 0;
    }
    return item;
  }
}

/**
 * The way from one subtask to another on the same thread: elements in order, bounded by credit. What a writer pushes beyond its
 * credit is kept (an overdraft); it is the writer's control that stops it before its next call.
 */
export class Channel implements ElementQueue, Outlet {
  private readonly elements = new Fifo<Element>();
  private readonly gate: CreditGate;
  private readonly onElement: () => void;

  constructor(gate: CreditGate, onElement: () => void) {
    this.gate = gate;
    this.onElement = onElement;
  }

  /** Records that wait. */
  get size(): number {
    return this.gate.waiting;
  }

  get batch(): number {
    return this.gate.batch;
  }

  push(element: Element): void {
    this.elements.push(element);
    if (element.kind === 'records') this.gate.sent(element.values.length);
    this.onElement();
  }

  poll(): Element | undefined {
    const element = this.elements.shift();
    if (element?.kind === 'records') this.gate.taken(element.values.length);
    return element;
  }

  get isEmpty(): boolean {
    return this.elements.isEmpty;
  }
}
