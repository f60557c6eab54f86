import type { StateEntry } from '../state/backend.ts';
import { ByteReader } from '../state/byteReader.ts';
import type { Codec } from '../state/valueCodec.ts';

/** What reads the values of a state that has a codec of its own: that codec. */
export type ValueReader = Pick<Codec<unknown>, 'name' | 'version' | 'reads' | 'read'>;

/** A value that was written by a codec that is not at hand: its bytes. */
export class EncodedValue {
  /** The codec's name, and the version that wrote it. */
  readonly codec: string;
  readonly version: number;
  readonly bytes: Uint8Array;

  /** @internal */
  constructor(codec: string, version: number, bytes: Uint8Array) {
    this.codec = codec;
    this.version = version;
    this.bytes = bytes;
  }
}

/** An entry with its values as the job knows them; those of a codec that is not given are {@link EncodedValue}s. */
export function decodeEntry(entry: StateEntry, codecs: readonly ValueReader[]): StateEntry {
  const { form } = entry;
  if (form?.codec === undefined) return entry;
  const { name, version } = form.codec;
  const codec = codecs.find(
    (candidate) => candidate.name === name && (candidate.version === version || candidate.reads?.includes(version) === true),
  );
  if (codec === undefined) return withValues(entry, (bytes) => new EncodedValue(name, version, bytes as Uint8Array));
  const decoded = withValues(entry, (bytes) => codec.read(new ByteReader(bytes as Uint8Array), version));
  return { ...decoded, form: { ...form, codec: undefined } };
}

/** An entry with the bytes of what could not be decoded. */
export function encodedEntry<E extends Pick<StateEntry, 'value' | 'form'>>(entry: E): E {
  if (entry.form?.codec === undefined) return entry;
  return withValues(entry, (value) => (value instanceof EncodedValue ? value.bytes : value));
}

/** A codec is for the values themselves: of a list its items, of an aggregate its accumulator. */
function withValues<E extends Pick<StateEntry, 'value' | 'form'>>(entry: E, change: (value: unknown) => unknown): E {
  const { value, form } = entry;
  if (form?.kind === 'list') return { ...entry, value: (value as readonly unknown[]).map(change) };
  if (form?.kind === 'aggregating')
    return { ...entry, value: { accumulator: change((value as { readonly accumulator: unknown }).accumulator) } };
  return { ...entry, value: change(value) };
}
