import type { ByteInput } from './byteInput.ts';
import { GunzipInput } from './gunzipInput.ts';
import { type OpenFile, unreadable } from './openFile.ts';

/** The content of a file: what it unpacks to, if it is gzipped. */
export function fileInput(file: OpenFile): ByteInput {
  return file.gzipped ? new GunzipInput(file.handle, file.path) : plainInput(file);
}

function plainInput({ handle, path }: OpenFile): ByteInput {
  let count = 0;
  let reached = 0;
  return {
    async read(target, at, offset) {
      const { bytesRead } = await handle
        .read(target, at, target.length - at, offset)
        .catch((error: unknown) => Promise.reject(unreadable(path, error)));
      count += bytesRead;
      reached = offset + bytesRead;
      return bytesRead;
    },
    taken() {
      const taken = count;
      count = 0;
      return taken;
    },
    reached: () => reached,
    close: () => handle.close(),
  };
}
