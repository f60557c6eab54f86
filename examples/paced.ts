import { defineSource, MillraceError, type ReadContext, type Source, type SourceBatch, type SourceReader } from '@millrace/core';

/** The place behind some elements of a batch: the position before the batch, and how many of its elements were given out. */
interface Position {
  readonly before: unknown;
  readonly taken: number;
}

/** The same elements, no more than so many a second: a file becomes something that happens. `rate` undefined: as fast as they are taken. */
export function paced<T>(source: Source<T>, rate: number | undefined): Source<T> {
  if (rate === undefined) return source;
  if (!(rate > 0)) throw new MillraceError('config/invalid', `The rate is ${rate}.`, { remedy: 'Give the number of elements per second.' });
  const { name, open } = source.definition;
  return defineSource<T, Position>({
    name,
    bounded: source.bounded,
    open: async () => {
      const reader = (await open()) as SourceReader<T, unknown>;
      return {
        splits: (context) => reader.splits(context),
        read: (split, from, context) => readPaced(reader, split, from, context, rate),
        ...(reader.size !== undefined && { size: (split: string) => reader.size!(split) }),
        ...(reader.close !== undefined && { close: () => reader.close!() }),
      };
    },
  });
}

async function* readPaced<T>(
  reader: SourceReader<T, unknown>,
  split: string,
  from: Position | undefined,
  context: ReadContext,
  rate: number,
): AsyncGenerator<SourceBatch<T, Position>> {
  const { clock, signal } = context;
  const start = clock.monotonic();
  let given = 0;
  let before = from?.before;
  let taken = from?.taken ?? 0;
  for await (const { values, position, ...rest } of reader.read(split, before, context)) {
    while (taken < values.length) {
      const due = Math.floor(((clock.monotonic() - start) * rate) / 1000) + 1 - given;
      if (due <= 0) await next(context, start + (given * 1000) / rate);
      if (signal.aborted) return;
      if (due <= 0) continue;
      const some = values.slice(taken, taken + due);
      given += some.length;
      taken += some.length;
      if (taken < values.length) yield { values: some, position: { before, taken } };
      else yield { values: some, position: { before: position, taken: 0 }, ...rest };
    }
    if (values.length === 0) yield { values, position: { before: position, taken: 0 }, ...rest };
    before = position;
    taken = 0;
  }
}

/** Waits for a time by the monotone clock; less, when nothing is wanted any more. */
function next({ clock, signal }: ReadContext, due: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.schedule(clock.now() + Math.max(1, Math.ceil(due - clock.monotonic())), end);
    signal.addEventListener('abort', end);
  });
}
