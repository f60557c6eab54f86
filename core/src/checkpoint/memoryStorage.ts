import type { CheckpointStorage } from './storage.ts';

/**
 * Checkpoints on the heap: they survive a failure of the job, not of the process.
 *
 * @example
 * env.from(fromArray([1, 2, 3]), { uid: 'numbers' }).sinkTo(print(), { uid: 'output' });
 * await env.execute('numbers', { checkpoint: { storage: memoryStorage(), every: { seconds: 10 } } });
 * // 1
 * // 2
 * // 3
 */
export function memoryStorage(): CheckpointStorage {
  const objects = new Map<string, { readonly content: Uint8Array; readonly token: string }>();
  let writes = 0;
  const put = (name: string, content: Uint8Array): string => {
    const token = String(++writes);
    objects.set(name, { content, token });
    return token;
  };
  return {
    location: 'memory',
    write: async (name, parts) => void put(name, concatenate(parts)),
    read: async (name) => objects.get(name)?.content,
    list: async (prefix) => [...objects.keys()].filter((name) => name.startsWith(prefix)).sort(),
    remove: async (name) => void objects.delete(name),
    writeIf: async (name, content, expected) => (objects.get(name)?.token === expected ? put(name, content.slice()) : undefined),
    readToken: async (name) => objects.get(name),
  };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
