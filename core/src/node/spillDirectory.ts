import { closeSync, mkdtempSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpillFile, SpillSpace } from '../state/spill.ts';

/**
 * Spilled data in a directory under the system's temporary one (`TMPDIR`). It is made at the first need; files are unlinked as
 * soon as they are open, so that not even `kill -9` leaves one behind.
 */
export function temporaryDirectory(parent: string = tmpdir()): SpillSpace {
  return {
    create(): SpillFile {
      const directory = mkdtempSync(join(parent, 'millrace-spill-'));
      const path = join(directory, 'data');
      const descriptor = openSync(path, 'wx+');
      unlinkSync(path);
      rmSync(directory, { recursive: true });
      return spillFile(descriptor);
    },
  };
}

/** An open file as spilled data are written and read; `held`: how many bytes it holds. */
export function spillFile(descriptor: number, held = 0): SpillFile {
  let length = held;
  return {
    get length() {
      return length;
    },
    append(bytes) {
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at, bytes.length - at, length + at);
      length += bytes.length;
    },
    read(offset, wanted) {
      const bytes = new Uint8Array(Math.min(wanted, length - offset));
      for (let at = 0; at < bytes.length;) {
        const read = readSync(descriptor, bytes, at, bytes.length - at, offset + at);
        if (read === 0) break;
        at += read;
      }
      return bytes;
    },
    remove: () => closeSync(descriptor),
  };
}
