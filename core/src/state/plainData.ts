import { decodeSelfContained, encodeSelfContained } from './selfContained.ts';
import type { Codec } from './valueCodec.ts';

/**
 * Any plain data as bytes that stand for themselves: what the codec of a structure uses for the parts that are its user's. Codecs of a known
 * form are smaller and faster.
 *
 * @example
 * const boxed: Codec<{ content: unknown }> = {
 *   name: 'boxed', version: 1,
 *   write: ({ content }, writer) => plainData.write(content, writer),
 *   read: (reader) => ({ content: plainData.read(reader, 1) }),
 * };
 */
export const plainData: Codec<unknown> = {
  name: 'plain',
  version: 1,
  write: (value, writer) => writer.block(encodeSelfContained(value)),
  read: (reader) => decodeSelfContained(reader.block()),
};
