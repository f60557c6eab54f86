import { ByteReader } from './byteReader.ts';
import { ByteWriter } from './byteWriter.ts';
import { ValueCodec } from './valueCodec.ts';

/** Plain data as bytes that can be read without anything beside them: the table of shapes stands in front. */
export function encodeSelfContained(value: unknown): Uint8Array<ArrayBuffer> {
  const codec = new ValueCodec();
  const body = new ByteWriter();
  codec.write(value, body);
  const writer = new ByteWriter(body.length + 64);
  new ValueCodec().write(codec.shapes(), writer);
  writer.raw(body.written());
  return writer.take();
}

export function decodeSelfContained(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  const codec = new ValueCodec();
  codec.learn(new ValueCodec().read(reader) as readonly string[][]);
  return codec.read(reader);
}
