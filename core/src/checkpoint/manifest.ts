import { MillraceError } from '../errors/millraceError.ts';

/** The version of the manifest that this code writes. Older ones are read for ever. */
export const MANIFEST_VERSION = 1;

/** A run of bytes in an object of the storage. */
export interface Segment {
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  /** CRC-32 of the bytes. */
  readonly checksum: number;
}

/** The state of one operator subtask. */
export interface SubtaskState {
  readonly uid: string;
  readonly subtask: number;
  readonly parallelism: number;
  /** Everything that belongs to no key, and how far time had come. */
  readonly plain: Segment;
  /** Keyed state that the operator keeps in structures of its own: always whole. `null` for none. */
  readonly own: Segment | null;
  /** Keyed state: a whole, in which each key has one record, then changes to it, oldest first. */
  readonly whole: readonly Segment[];
  readonly changes: readonly Segment[];
}

/** All segments of a subtask's state. */
export function segmentsOf({ plain, own, whole, changes }: SubtaskState): readonly Segment[] {
  return [plain, ...(own === null ? [] : [own]), ...whole, ...changes];
}

/** What a checkpoint consists of. Plain JSON. */
export interface Manifest {
  readonly version: number;
  readonly job: string;
  readonly checkpoint: number;
  /** The epoch of the lease under which it was written. */
  readonly epoch: number;
  /** Processing time in ms. */
  readonly takenAt: number;
  readonly kind: 'checkpoint' | 'savepoint';
  readonly maxParallelism: number;
  readonly operators: readonly { readonly uid: string; readonly kind: string; readonly parallelism: number }[];
  readonly subtasks: readonly SubtaskState[];
  /** The discovery of each source, by uid: plain data. */
  readonly enumerators: Readonly<Record<string, unknown>>;
}

/** Writes a manifest with the checksum of its own text, so that a torn one is known as such. */
export function encodeManifest(manifest: Manifest, crc32: (bytes: Uint8Array) => number): Uint8Array {
  const body = JSON.stringify(manifest);
  const checksum = crc32(new TextEncoder().encode(body));
  return new TextEncoder().encode(`{"checksum":${checksum},"manifest":${body}}\n`);
}

/**
 * Reads a manifest back.
 *
 * @throws MillraceError `checkpoint/corrupt` if it is damaged, `checkpoint/version` if a newer version wrote it.
 */
export function decodeManifest(bytes: Uint8Array, name: string, crc32: (bytes: Uint8Array) => number): Manifest {
  const text = new TextDecoder().decode(bytes);
  const match = /^\{"checksum":(\d+),"manifest":(.*)\}\n$/s.exec(text);
  if (match === null || crc32(new TextEncoder().encode(match[2])) !== Number(match[1])) {
    throw new MillraceError('checkpoint/corrupt', `The manifest ${name} is damaged: its checksum does not fit its text.`, {
      remedy: 'Restore from an older checkpoint; the engine does so by itself when it looks for the latest.',
    });
  }
  const manifest = JSON.parse(match[2]!) as Manifest;
  if (manifest.version > MANIFEST_VERSION) {
    throw new MillraceError('checkpoint/version', `The manifest ${name} has version ${manifest.version}; this is ${MANIFEST_VERSION}.`, {
      remedy: 'Upgrade @millrace/core to the version that wrote it, or a newer one.',
    });
  }
  return manifest;
}
