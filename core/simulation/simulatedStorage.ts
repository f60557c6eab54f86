import type { CheckpointStorage } from '@millrace/core';
import type { SimulatedProcess } from './simulatedProcess.ts';

interface StoredObject {
  readonly content: Uint8Array;
  readonly token: string;
}

/** A disk that processes share. */
export class SharedDisk {
  readonly objects: Map<string, StoredObject> = new Map();
  /** The manifest that was written last, and whether anything was committed since. */
  newest: { readonly name: string; isCommitted: boolean } | undefined;
  private isDamaged = false;
  private writes = 0;

  put(name: string, content: Uint8Array): string {
    const token = String(++this.writes);
    this.objects.set(name, { content, token });
    if (name.startsWith('manifests/')) this.newest = { name, isCommitted: false };
    return token;
  }

  remove(name: string): void {
    this.objects.delete(name);
    // The older ones go: there is nothing left to fall back on.
    if (this.newest !== undefined) this.newest.isCommitted = true;
  }

  /** Whether a job has kept a checkpoint here. */
  get isUsed(): boolean {
    return [...this.objects.keys()].some((name) => name.startsWith('manifests/'));
  }

  /** Damages what belongs to the newest checkpoint alone; `false` where there is none, or it has been committed. */
  damageNewest(damage: 'tear' | 'lose', at: (end: number) => number): boolean {
    const { newest, objects } = this;
    if (newest === undefined || newest.isCommitted || !objects.has(newest.name)) return false;
    // A job whose only checkpoint is damaged does not begin anew: there has to be one before it, of the same epoch and whole.
    const epoch = newest.name.slice(0, 'manifests/00000000'.length);
    if (this.isDamaged || ![...objects.keys()].some((name) => name.startsWith(epoch) && name < newest.name)) return false;
    this.isDamaged = true;
    const stamp = newest.name.slice('manifests/'.length, -'.json'.length);
    const own = [...objects.keys()].filter((name) => name === newest.name || name.startsWith(`state/${stamp}-`));
    const name = own[at(own.length)]!;
    const { content, token } = objects.get(name)!;
    if (damage === 'lose') objects.delete(name);
    else objects.set(name, { token, content: content.slice(0, at(content.length)) });
    return true;
  }
}

/** What can go wrong with a disk. */
export interface DiskFaults {
  /** How long a write takes at most, in ms. */
  readonly delay: number;
  /** Whether something is to fail now: before it was done, or after. */
  readonly failure: () => 'before' | 'after' | undefined;
}

/** A disk as one process sees it. */
export function simulatedStorage(disk: SharedDisk, process: SimulatedProcess, { delay, failure }: DiskFaults): CheckpointStorage {
  const { objects } = disk;
  const carefully = <R>(effect: () => R): Promise<R> => {
    const fails = failure();
    return process.outside(delay, () => {
      if (fails === 'before') throw new Error('the disk does not answer');
      const result = effect();
      if (fails === 'after') throw new Error('the disk does not answer any more');
      return result;
    });
  };
  return {
    location: 'simulated',
    write: (name, parts) => {
      const content = concatenated(parts);
      return carefully(() => {
        disk.put(name, content);
        process.tell(name.startsWith('manifests/') ? 'manifest written' : 'state written');
      });
    },
    read: (name) => carefully(() => objects.get(name)?.content),
    list: (prefix) => carefully(() => [...objects.keys()].filter((name) => name.startsWith(prefix)).sort()),
    remove: (name) => carefully(() => disk.remove(name)),
    writeIf: (name, content, expected) => {
      const copy = content.slice();
      return carefully(() => (objects.get(name)?.token === expected ? disk.put(name, copy) : undefined));
    },
    readToken: (name) => carefully(() => objects.get(name)),
  };
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
