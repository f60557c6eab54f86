import { decodeKey, type Key, keyText } from './key.ts';

/** Marks the text form of a key among those of a native `Map`: of a tuple, which a `Map` compares by identity, and of a text that looks so. */
const MARK = '\u0000key:';

/** What stands for a key in a native `Map`. */
export function nativeKey(key: Key): unknown {
  if (typeof key !== 'object' && !(typeof key === 'string' && key.startsWith(MARK))) return key;
  return MARK + keyText(key);
}

/** The key that stands in a native `Map`. */
export function keyOfNative(native: unknown): Key {
  if (typeof native !== 'string' || !native.startsWith(MARK)) return native as Key;
  return decodeKey(Uint8Array.from(native.slice(MARK.length), (unit) => unit.charCodeAt(0)));
}
