import type { DiscoveryContext, Logger, Source, SourceBatch, SourceReader } from '../../src/index.ts';
import { ManualPlatform } from '../../src/testing.ts';

/** A source's reader, opened, on a host whose time stands still. */
export async function openReader<T>(source: Source<T>): Promise<SourceReader<T, unknown>> {
  return (await source.definition.open()) as unknown as SourceReader<T, unknown>;
}

/** The context of a reader, and what it is made of. */
export function testContext(
  platform: ManualPlatform = new ManualPlatform(),
): DiscoveryContext & { readonly platform: ManualPlatform; readonly abort: AbortController } {
  const abort = new AbortController();
  const later = (callback: () => void): void => platform.later(callback);
  return { platform, abort, signal: abort.signal, bounded: false, clock: platform.clock, later, ended: async () => undefined };
}

/** Reads a split as it comes; `batches` grows. */
export function follow<T>(
  reader: SourceReader<T, unknown>,
  split: string,
  context: DiscoveryContext,
  from?: unknown,
): { readonly batches: SourceBatch<T, unknown>[]; readonly done: Promise<void> } {
  const batches: SourceBatch<T, unknown>[] = [];
  const run = async (): Promise<void> => {
    for await (const batch of reader.read(split, from, context)) batches.push(batch);
  };
  return { batches, done: run() };
}

/** The code of the error that a promise is rejected with: tests match codes, never sentences. */
export async function rejectionCode(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return (error as { readonly code?: unknown }).code ?? error;
  }
  return 'fulfilled';
}

/** For jobs that are meant to fail. */
export const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
