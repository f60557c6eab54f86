import { EncodedValue } from '../checkpoint/codedValues.ts';
import type { Savepoint } from '../checkpoint/savepoint.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import type { Key } from '../state/key.ts';
import { readableJson } from './readableJson.ts';

/** What of an operator's state is written out. */
export interface DumpedState {
  readonly uid: string;
  /** One of its states; `undefined` for all. */
  readonly state: string | undefined;
  /** Keys that are wanted; `undefined` for all, and for what belongs to no key. */
  readonly isKey: ((key: Key) => boolean) | undefined;
}

/**
 * Writes the state of an operator as lines of JSON. `warn` is told what cannot be shown.
 *
 * @throws MillraceError `checkpoint/not-found` for a uid or a state that there is not.
 */
export async function dumpState(savepoint: Savepoint, { uid, state, isKey }: DumpedState, warn: (message: string) => void): Promise<void> {
  const names = new Set<string>();
  const wanted = (name: string): boolean => {
    names.add(name);
    return state === undefined || name === state;
  };
  const coded = new Set<string>();
  for await (const entry of savepoint.entries(uid)) {
    if (!wanted(entry.state) || isKey?.(entry.key) === false) continue;
    warnOfCodec(entry, coded, warn);
    await write(lineOf(entry));
  }
  for (const { state: name, mode, items } of await savepoint.lists(uid)) {
    if (wanted(name) && isKey === undefined) for (const value of items) await write({ state: name, mode, value });
  }
  if (state === undefined || names.has(state)) return;
  const remedy = names.size === 0 ? 'It holds none at all.' : `It holds ${[...names].join(', ')}.`;
  throw new MillraceError('checkpoint/not-found', `"${uid}" holds no state "${state}".`, { remedy });
}

/** Once for each state. */
function warnOfCodec({ state, form }: StateEntry, warned: Set<string>, warn: (message: string) => void): void {
  const codec = form?.codec;
  if (codec === undefined || warned.has(state)) return;
  warned.add(state);
  warn(`The values of "${state}" are bytes of the codec ${codec.name} ${codec.version}: readSavepoint(storage, { codecs }) reads them.`);
}

function lineOf({ state, key, userKey, value, renewed }: StateEntry): unknown {
  return { state, key, ...(userKey !== undefined && { userKey }), value: shown(value), ...(renewed !== undefined && { renewed }) };
}

/** Bytes are shown as such: which codec they are of is said apart. */
function shown(value: unknown): unknown {
  if (value instanceof EncodedValue) return value.bytes;
  return Array.isArray(value) ? value.map(shown) : value;
}

/** Waits for a reader that is slower. */
async function write(line: unknown): Promise<void> {
  if (process.stdout.write(`${readableJson(line)}\n`)) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve));
}
