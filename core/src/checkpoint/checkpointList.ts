import { MillraceError } from '../errors/millraceError.ts';
import { crc32 as plainCrc32 } from './checksum.ts';
import { Lease } from './lease.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import type { CheckpointStorage } from './storage.ts';

const MANIFESTS = 'manifests/';

/** A checkpoint of a location, whether or not it can be read. */
export interface ListedCheckpoint {
  /** The name of its manifest. */
  readonly name: string;
  /** `undefined` when the manifest cannot be read: then {@link problem} says why. */
  readonly manifest: Manifest | undefined;
  readonly problem: unknown;
  /** It was completed by a process that another had already replaced, and does not count. */
  readonly isSuperseded: boolean;
}

/**
 * All checkpoints of a location, newest first.
 *
 * @throws MillraceError `checkpoint/storage`
 */
export async function listCheckpoints(
  storage: CheckpointStorage,
  crc32: (bytes: Uint8Array) => number = plainCrc32,
): Promise<readonly ListedCheckpoint[]> {
  const names = [...(await storage.list(MANIFESTS))].reverse();
  const choice = await Lease.choice(storage);
  return Promise.all(
    names.map(async (name): Promise<ListedCheckpoint> => {
      try {
        const manifest = await readManifest(storage, name, crc32);
        const isSuperseded = choice !== undefined && manifest.epoch < choice.epoch && manifest.checkpoint > (choice.base ?? -1);
        return { name, manifest, problem: undefined, isSuperseded };
      } catch (problem) {
        return { name, manifest: undefined, problem, isSuperseded: false };
      }
    }),
  );
}

/**
 * Reads one manifest.
 *
 * @throws MillraceError `checkpoint/not-found`, `checkpoint/corrupt`, `checkpoint/version`, `checkpoint/storage`
 */
export async function readManifest(storage: CheckpointStorage, name: string, crc32: (bytes: Uint8Array) => number): Promise<Manifest> {
  const bytes = await storage.read(name);
  if (bytes !== undefined) return decodeManifest(bytes, name, crc32);
  throw new MillraceError('checkpoint/not-found', `There is no ${name} in ${storage.location}.`, {
    remedy: 'Look at the path; `millrace checkpoint list` shows what there is.',
  });
}

/**
 * A location in which there is only one of its checkpoints: to go on from that one and no other.
 *
 * @param manifest - the name of its manifest.
 */
export function onlyCheckpoint(storage: CheckpointStorage, manifest: string): CheckpointStorage {
  return {
    location: `${storage.location}/${manifest}`,
    write: (name, parts) => storage.write(name, parts),
    read: (name) => storage.read(name),
    list: async (prefix) => (prefix === MANIFESTS ? [manifest] : storage.list(prefix)),
    remove: (name) => storage.remove(name),
    writeIf: (name, content, expected) => storage.writeIf(name, content, expected),
    // Whoever holds the location does not decide which of its checkpoints is read.
    readToken: async () => undefined,
  };
}
