import { MillraceError } from '../errors/millraceError.ts';
import { defineSource, type DiscoveryContext, type Source, type SourceDefinition, type SourceReader } from '../operators/connector.ts';

/**
 * One source after another, as one: bounded history, then the live feed. The splits of a source are discovered when those of the one
 * before have been read to their ends; its own rule says how many are read at a time. All sources are opened at the start, so that a mistake
 * in a later one shows at once, and a feed that begins to listen when it is opened misses nothing.
 *
 * They share one watermark, which never goes back. Between two sources it stands where the first one left it, and the stream is not
 * idle: it goes on with the first elements of the second. So make them overlap rather than leave a gap, and let `outOfOrder` cover the overlap.
 *
 * @throws MillraceError `graph/unbounded` if a source other than the last never ends.
 * @example
 * async function* feed() { yield { at: 3 }; }
 * const payments = sequence(fromArray([{ at: 1 }, { at: 2 }]), fromIterable(feed()));
 * await env.from(payments, { time: { timestamp: (payment) => payment.at } }).collect(); // [{ at: 1 }, { at: 2 }, { at: 3 }]
 */
export function sequence<T>(first: Source<T>, ...rest: readonly Source<T>[]): Source<T> {
  const sources = [first, ...rest];
  const endless = sources.slice(0, -1).find(({ bounded }) => !bounded);
  if (endless !== undefined) {
    throw new MillraceError('graph/unbounded', `The source ${endless.definition.name} never ends: what follows it would never be read.`, {
      remedy: 'Put it last in the sequence, or give it an end.',
    });
  }
  const definitions = sources.map(({ definition }) => definition as unknown as SourceDefinition<T, unknown>);
  return defineSource<T, unknown>({
    name: definitions.map(({ name }) => name).join(', then '),
    bounded: sources.at(-1)!.bounded,
    concurrentSplits: (split) => concurrencyOf(definitions[stageOf(split)]!, ownName(split)),
    open: async () => sequenceReader(await openAll(definitions)),
  });
}

function sequenceReader<T>(readers: readonly SourceReader<T, unknown>[]): SourceReader<T, unknown> {
  const readerOf = (split: string): SourceReader<T, unknown> => readers[stageOf(split)]!;
  return {
    splits: (context) => discover(readers, context),
    read: (split, from, context) => readerOf(split).read(ownName(split), from, context),
    size: async (split) => readerOf(split).size?.(ownName(split)),
    async committed(positions, ended) {
      for (const [stage, reader] of readers.entries()) {
        const own = new Map([...positions].flatMap(([split, position]) => (stageOf(split) === stage ? [[ownName(split), position]] : [])));
        const ownEnded = new Set([...ended].filter((split) => stageOf(split) === stage).map(ownName));
        if (own.size > 0 || ownEnded.size > 0) await reader.committed?.(own, ownEnded);
      }
    },
    close: () => closeAll(readers),
  };
}

async function* discover(
  readers: readonly SourceReader<unknown, unknown>[],
  context: DiscoveryContext,
): AsyncGenerator<readonly string[], void, undefined> {
  for (const [stage, reader] of readers.entries()) {
    const named = (splits: readonly string[]): readonly string[] => splits.map((split) => `${stage}/${split}`);
    const all: string[] = [];
    const found = reader.splits({ ...context, ended: (splits) => context.ended(named(splits)) });
    for await (const splits of Symbol.asyncIterator in found ? found : [await found]) {
      all.push(...named(splits));
      yield named(splits);
    }
    if (stage < readers.length - 1) await context.ended(all);
    if (context.signal.aborted) return;
  }
}

/** A split's name begins with the number of its source, so that a saved position belongs to one of them. */
function stageOf(split: string): number {
  return Number(split.slice(0, split.indexOf('/')));
}

function ownName(split: string): string {
  return split.slice(split.indexOf('/') + 1);
}

function concurrencyOf({ bounded, concurrentSplits = bounded ? 1 : Infinity }: SourceDefinition<unknown, unknown>, split: string): number {
  return typeof concurrentSplits === 'number' ? concurrentSplits : concurrentSplits(split);
}

/** Opens all or none. */
async function openAll<T>(definitions: readonly SourceDefinition<T, unknown>[]): Promise<readonly SourceReader<T, unknown>[]> {
  const opened = await Promise.allSettled(definitions.map(async (definition) => definition.open()));
  const readers = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed === undefined) return readers;
  await closeAll(readers).catch(() => undefined);
  throw failed.reason;
}

async function closeAll(readers: readonly SourceReader<unknown, unknown>[]): Promise<void> {
  const closed = await Promise.allSettled(readers.map(async (reader) => reader.close?.()));
  const failed = closed.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
