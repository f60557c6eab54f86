import { MillraceError } from '../errors/millraceError.ts';
import { defineSource, type ReadContext, type Source, type SourceBatch } from '../operators/connector.ts';
import { effectOf, type SourceStep } from './sourceStep.ts';

/** Elements, and what happens between them. */
export type SourceScript<T> = readonly (T | SourceStep)[];

/** Options of {@link testSource}. */
export interface TestSourceOptions {
  /** The largest batch. Default: all elements up to the next step. */
  readonly batchSize?: number;
  /** Default true. */
  readonly bounded?: boolean;
}

/**
 * A source as a script: time and failure are values among its elements. A script for each split, or one for the only split. The position is
 * the index of what comes next.
 *
 * @example
 * env.from(testSource([1, 2, fault('the line was cut'), 3]));
 * env.from(testSource({ a: [1, silence({ minutes: 5 }), 2], b: [3, hang()] }));
 */
export function testSource<T>(
  script: SourceScript<T> | Readonly<Record<string, SourceScript<T>>>,
  options: TestSourceOptions = {},
): Source<T> {
  const { batchSize = Infinity, bounded = true } = options;
  if (!(batchSize >= 1)) throw new MillraceError('testing/contract', `batchSize is ${batchSize}.`, { remedy: 'Give at least 1.' });
  const scripts = new Map(isSingle(script) ? [['test', script]] : Object.entries(script));
  return defineSource<T, number>({
    name: 'test source',
    bounded,
    concurrentSplits: Infinity,
    open: () => ({
      splits: async () => [...scripts.keys()],
      read: (split, from = 0, context) => play(split, scripts.get(split)!, { from, batchSize }, context),
    }),
  });
}

function isSingle<T>(script: SourceScript<T> | Readonly<Record<string, SourceScript<T>>>): script is SourceScript<T> {
  return Array.isArray(script);
}

async function* play<T>(
  split: string,
  script: SourceScript<T>,
  { from, batchSize }: { readonly from: number; readonly batchSize: number },
  context: ReadContext,
): AsyncGenerator<SourceBatch<T, number>, void, undefined> {
  for (let at = from; at < script.length && !context.signal.aborted;) {
    const effect = effectOf(script[at]);
    if (effect === undefined) {
      const values = elementsFrom(script, at, batchSize);
      at += values.length;
      yield { values, position: at };
      continue;
    }
    const place = `${split}:${at++}`;
    await effect.happen(context);
    if (context.signal.aborted) return;
    if (effect.rejected !== undefined) yield { values: [], position: at, rejected: [{ place, ...effect.rejected }] };
    if (effect.ends === true) {
      yield { values: [], position: at };
      return;
    }
  }
}

/** The elements up to the next step. */
function elementsFrom<T>(script: SourceScript<T>, from: number, most: number): T[] {
  let end = from;
  while (end < script.length && end - from < most && effectOf(script[end]) === undefined) end++;
  return script.slice(from, end) as T[];
}
