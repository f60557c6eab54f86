import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { FilePosition } from '../../src/node/filePosition.ts';
import type { DiscoveryContext, Rejected, Sink, SinkWriter, Source, SourceBatch, SourceReader } from '../../src/operators/connector.ts';
import { systemClock } from '../../src/time/systemClock.ts';

const made: string[] = [];

/** An empty directory that is gone after the test. */
export async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-'));
  made.push(path);
  return path;
}

afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
});

/** Everything that a bounded source gives. */
export interface Everything<T> {
  readonly values: T[];
  readonly rejected: Rejected[];
  readonly batches: SourceBatch<T, FilePosition>[];
}

export async function openReader<T>(source: Source<T>): Promise<SourceReader<T, FilePosition>> {
  return (await source.definition.open()) as unknown as SourceReader<T, FilePosition>;
}

export function context(bounded = true, signal: AbortSignal = new AbortController().signal): DiscoveryContext {
  return { signal, bounded, clock: systemClock, later: setImmediate, ended: () => new Promise(() => undefined) };
}

/** Reads a source as the engine does in batch mode. */
export async function readAll<T>(source: Source<T>): Promise<Everything<T>> {
  const reader = await openReader(source);
  const all: Everything<T> = { values: [], rejected: [], batches: [] };
  const splits = reader.splits(context());
  for await (const found of Symbol.asyncIterator in splits ? splits : [await splits]) {
    for (const split of found) await readSplit(reader, split, undefined, all);
  }
  await reader.close?.();
  return all;
}

/** Reads one split from a place on and adds to `all` what comes. */
export async function readSplit<T>(
  reader: SourceReader<T, FilePosition>,
  split: string,
  from: FilePosition | undefined,
  all: Everything<T>,
): Promise<void> {
  for await (const batch of reader.read(split, from, context())) {
    all.values.push(...batch.values);
    all.rejected.push(...(batch.rejected ?? []));
    all.batches.push(batch);
  }
}

/** Opens a sink as the engine does. */
export async function openSink<T>(
  sink: Sink<T>,
  wrote: (bytes: number) => void = () => undefined,
  subtask = 0,
  parallelism = 1,
): Promise<SinkWriter<T, never>> {
  const context = { uid: 'sink', subtask, parallelism, restored: false, epoch: 0, lineage: '', clock: systemClock, wrote };
  return (await sink.definition.open(context)) as SinkWriter<T, never>;
}

/** Writes everything and ends, as a job does. */
export async function writeAll<T>(sink: Sink<T>, ...batches: readonly (readonly T[])[]): Promise<void> {
  const writer = await openSink(sink);
  for (const batch of batches) await writer.write(batch);
  await writer.commit(await writer.prepare());
  await writer.close?.();
}

/** Waits until something holds, with a deadline that only a broken program reaches. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came to hold');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
