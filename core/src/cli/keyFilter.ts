import { type Key, keyText } from '../state/key.ts';

/**
 * Whether a key is what somebody wrote for it: `--key user-7`, `--key 42` (the number, and the text "42"), `--key '["a",1]'`,
 * `--key '{"$bigint":"7"}'`.
 */
export function keyFilter(text: string): (key: Key) => boolean {
  const wanted = new Set([text, ...parsed(text)].map(keyText));
  return (key) => wanted.has(keyText(key));
}

function parsed(text: string): readonly Key[] {
  try {
    return keyOf(JSON.parse(text));
  } catch {
    return [];
  }
}

function keyOf(value: unknown): readonly Key[] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [value];
  if (Array.isArray(value)) {
    const parts = value.map(keyOf);
    return parts.some(({ length }) => length === 0) ? [] : [parts.map(([part]) => part!)];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { $bigint, $number } = value as { readonly $bigint?: unknown; readonly $number?: unknown };
  if (typeof $bigint === 'string') return [BigInt($bigint)];
  return typeof $number === 'string' && $number !== 'NaN' ? [Number($number)] : [];
}
