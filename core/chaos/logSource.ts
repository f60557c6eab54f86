import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSource, type ReadContext, type Source } from '@millrace/core';
import { jsonLines } from '@millrace/core/node';
import type { Event } from '../simulation/item.ts';
import type { SourceDefinition, SourceReader } from '../src/operators/connector.ts';
import { event, filesOfWaves, inPieces, type Place, untilEnd } from './waves.ts';

/** What a log's name is followed by in the name of the file that says that a checkpoint knows the log: then it may get another name. */
export const KNOWN = '.known';

/** Logs that appear, grow and are given other names while the job runs and when it does not, followed by the engine's own source. */
export function logSource(folder: string, concurrent: number): Source<Event> {
  return defineSource<Event, Place>({
    name: 'logs',
    bounded: true,
    concurrentSplits: concurrent,
    open: async () => {
      const { definition } = jsonLines(join(folder, '*', '*.jsonl'), event, { follow: true, discover: { milliseconds: 10 } });
      const reader = await (definition as unknown as SourceDefinition<Event, unknown>).open();
      return {
        splits: ({ signal }) => filesOfWaves(folder, signal),
        async *read(split, from, context) {
          let place = from ?? { file: undefined, skip: 0 };
          for (const part of [until(folder, context), { ...context, bounded: true }]) {
            if (context.signal.aborted) return;
            for await (const piece of follow(reader, split, place, part)) {
              yield piece;
              place = piece.position;
            }
          }
        },
        async committed(positions) {
          for (const [split, { file }] of positions) {
            if ((file as { readonly file?: string } | undefined)?.file !== undefined) writeFileSync(`${split}${KNOWN}`, '');
          }
        },
      };
    },
  });
}

async function* follow(
  reader: SourceReader<Event, unknown>,
  split: string,
  from: Place,
  context: ReadContext,
): AsyncGenerator<ReturnType<typeof inPieces> extends AsyncGenerator<infer Piece> ? Piece : never, void, undefined> {
  let place = from;
  for await (const batch of reader.read(split, place.file, context)) {
    yield* inPieces(batch, place);
    place = { file: batch.position, skip: 0 };
  }
}

/** Reading that stops when it is said that nothing more will come: then what is there is the rest. */
function until(folder: string, context: ReadContext): ReadContext {
  const ended = new AbortController();
  void untilEnd(folder, context.signal).then(() => ended.abort());
  return { ...context, bounded: false, signal: AbortSignal.any([context.signal, ended.signal]) };
}
