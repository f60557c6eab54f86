import { describeError } from '../errors/describe.ts';
import { isMillraceError } from '../errors/millraceError.ts';
import { decodeManifest, encodeManifest, type Manifest, segmentsOf } from './manifest.ts';
import type { CheckpointStorage } from './storage.ts';

const MANIFESTS = 'manifests/';
const STATE = 'state/';

/** The checkpoints of a location: which there are, which count, and which objects are still needed. */
export class Catalog {
  private readonly storage: CheckpointStorage;
  private readonly crc32: (bytes: Uint8Array) => number;
  private readonly onProblem: (message: string) => void;

  /** `onProblem` is told of manifests that cannot be read. */
  constructor(storage: CheckpointStorage, crc32: (bytes: Uint8Array) => number, onProblem: (message: string) => void) {
    this.storage = storage;
    this.crc32 = crc32;
    this.onProblem = onProblem;
  }

  /** The name of a state object. Epoch and checkpoint are part of it, so that no two writers ever mean the same. */
  static stateName(epoch: number, checkpoint: number, task: string, part: number): string {
    return `${STATE}${stamp(epoch, checkpoint)}-${task.replaceAll(/[^\w.-]/g, '_')}-${part}.state`;
  }

  async add(manifest: Manifest): Promise<void> {
    await this.storage.write(manifestName(manifest), [encodeManifest(manifest, this.crc32)]);
  }

  /**
   * All manifests that can be read, newest first: by epoch, then by number. `previous` is what the lease says of the epoch before:
   * what an older epoch completed after that one had taken over does not count.
   */
  async manifests(previous?: { readonly epoch: number; readonly base: number | null }): Promise<readonly Manifest[]> {
    const found: Manifest[] = [];
    for (const name of [...(await this.storage.list(MANIFESTS))].reverse()) {
      const manifest = await this.readManifest(name);
      if (manifest === undefined) continue;
      const refused = previous !== undefined && manifest.epoch < previous.epoch && manifest.checkpoint > (previous.base ?? -1);
      if (!refused) found.push(manifest);
    }
    return found;
  }

  /** Keeps the newest `retain` checkpoints and removes the others, and every object that none of them needs and no writer is about to. */
  async retain(retain: number, epoch: number): Promise<void> {
    const names = [...(await this.storage.list(MANIFESTS))].reverse();
    const needed = new Set<string>();
    let kept = 0;
    let oldest = Infinity;
    for (const name of names) {
      const manifest = kept < retain ? await this.readManifest(name) : undefined;
      if (manifest === undefined) {
        await this.storage.remove(name);
        continue;
      }
      kept++;
      oldest = Math.min(oldest, manifest.checkpoint);
      for (const object of objectsOf(manifest)) needed.add(object);
    }
    const newest = names[0]?.slice(MANIFESTS.length, MANIFESTS.length + stamp(0, 0).length);
    for (const object of await this.storage.list(STATE)) {
      const written = object.slice(STATE.length, STATE.length + stamp(0, 0).length);
      // What is newer than the newest manifest belongs to a checkpoint under way: of this epoch, or of one that has taken over meanwhile.
      const underWay = newest !== undefined && written > newest && written >= stamp(epoch, 0);
      if (!needed.has(object) && !underWay) await this.storage.remove(object);
    }
  }

  /** What a newer version wrote, and what cannot be read at the moment, is there all the same: only what is damaged is passed over. */
  private async readManifest(name: string): Promise<Manifest | undefined> {
    const bytes = await this.storage.read(name);
    try {
      return bytes === undefined ? undefined : decodeManifest(bytes, name, this.crc32);
    } catch (error) {
      if (!isMillraceError(error) || error.code !== 'checkpoint/corrupt') throw error;
      this.onProblem(`${describeError(error)} It is passed over.`);
      return undefined;
    }
  }
}

/** Every object that a checkpoint needs. */
export function objectsOf(manifest: Manifest): ReadonlySet<string> {
  return new Set(manifest.subtasks.flatMap(segmentsOf).map(({ object }) => object));
}

/** Whether a checkpoint has written an object itself, and does not share it with one before. */
export function isWrittenBy({ epoch, checkpoint }: Manifest, object: string): boolean {
  return object.startsWith(`${STATE}${stamp(epoch, checkpoint)}-`);
}

function manifestName({ epoch, checkpoint }: Manifest): string {
  return `${MANIFESTS}${stamp(epoch, checkpoint)}.json`;
}

/** Epoch and number, of fixed length, so that names are in order of time. */
function stamp(epoch: number, checkpoint: number): string {
  return `${String(epoch).padStart(8, '0')}-${String(checkpoint).padStart(12, '0')}`;
}
