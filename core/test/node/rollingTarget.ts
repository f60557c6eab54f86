import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { rollingFiles, type RollingFileFormat, type RollingFilesOptions } from '../../src/node/rollingFiles.ts';
import type { SinkContext, SinkDefinition, SinkWriter } from '../../src/operators/connector.ts';
import { systemClock } from '../../src/time/systemClock.ts';

export type Options<T> = RollingFilesOptions<T> & RollingFileFormat<T>;
export type Writer<T> = SinkWriter<T, unknown>;

const CONTEXT: SinkContext = {
  uid: 'files',
  subtask: 0,
  parallelism: 1,
  restored: false,
  epoch: 1,
  lineage: 'a location',
  clock: systemClock,
  wrote: () => undefined,
};

export async function open<T>(path: string, options: Options<T>, context: Partial<SinkContext> = {}): Promise<Writer<T>> {
  const { definition } = rollingFiles<T>(path, options);
  const writer = await (definition as unknown as SinkDefinition<T, unknown>).open({ ...CONTEXT, ...context });
  opened.push(writer);
  return writer;
}

const opened: Writer<never>[] = [];

/** Closes every writer that was opened, as after a failure. */
export async function closeAll(): Promise<void> {
  for (const writer of opened.splice(0)) await writer.close?.(new Error('over')).catch(() => undefined);
}

/** What a checkpoint holds of a writer. */
export interface Held {
  readonly committables: readonly unknown[];
  readonly state: readonly unknown[];
}

export async function checkpoint<T>(writer: Writer<T>, number = 1): Promise<Held> {
  return { committables: await writer.prepare(number), state: writer.state!() };
}

/** Goes on from what a checkpoint holds, with the next epoch. */
export async function goOn<T>(
  path: string,
  options: Options<T>,
  held: readonly Held[],
  context: Partial<SinkContext> = {},
): Promise<Writer<T>> {
  const writer = await open(path, options, { restored: true, epoch: 2, ...context });
  await writer.recover!(
    held.flatMap(({ committables }) => committables),
    held.flatMap(({ state }) => state),
  );
  return writer;
}

/** Finished files with what they hold, by name. */
export async function finished(path: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || file.includes('.millrace')) continue;
    const bytes = await readFile(file);
    files[relative(path, file)] = (entry.name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  }
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export async function hidden(path: string): Promise<string[]> {
  return readdir(join(path, '.millrace')).catch(() => []);
}

export async function end<T>(writer: Writer<T>): Promise<void> {
  await writer.commit(await writer.prepare());
  await writer.close?.();
}

export async function writeAndEnd<T>(path: string, options: Options<T>, ...batches: readonly (readonly T[])[]): Promise<void> {
  const writer = await open(path, options);
  for (const batch of batches) await writer.write(batch);
  await end(writer);
}
