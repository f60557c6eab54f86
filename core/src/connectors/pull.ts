/** What is used of a web stream, so that any implementation fits. */
export interface WebStream<out T> {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: T | undefined }>;
    cancel(reason?: unknown): Promise<unknown>;
  };
}

/** What elements can be taken from one after the other: an iterable, a generator, a Node `Readable`, a web `ReadableStream`. */
export type Elements<T> = AsyncIterable<T> | Iterable<T> | WebStream<T>;

/** Elements that are asked for one by one and may take their time. */
export interface Pull<out T> {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: T | undefined }>;
  /** Nothing more is wanted. Does not wait: an element that was asked for may never come. */
  close(): void;
}

/** Whether elements are all at hand: no element has to be waited for. */
export function isSynchronous<T>(elements: Elements<T>): elements is Iterable<T> {
  return Symbol.iterator in Object(elements) && !(Symbol.asyncIterator in Object(elements));
}

export function pullFrom<T>(elements: AsyncIterable<T> | WebStream<T>): Pull<T> {
  if (Symbol.asyncIterator in elements) return pullFromIterable(elements);
  const reader = elements.getReader();
  return { next: () => reader.read(), close: () => quietly(reader.cancel()) };
}

function pullFromIterable<T>(elements: AsyncIterable<T> & { readonly destroy?: () => unknown }): Pull<T> {
  const iterator = elements[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    close() {
      // A generator hears of its end only after the element that it is at; a Node stream can be ended at once.
      if (typeof elements.destroy === 'function') elements.destroy();
      quietly(iterator.return?.());
    },
  };
}

function quietly(promise: PromiseLike<unknown> | undefined): void {
  promise?.then(undefined, () => undefined);
}
