import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MillraceError } from '../errors/millraceError.ts';
import type { ReadContext, SourceBatch } from '../operators/connector.ts';
import { ByteWindow } from './byteWindow.ts';
import { fileInput } from './fileInput.ts';
import { FILE_START, type FilePosition } from './filePosition.ts';
import type { OpenFile } from './openFile.ts';
import { RecordBatch } from './recordBatch.ts';
import type { RecordParser } from './recordParser.ts';
import { type Continuation, readRecords } from './recordReading.ts';
import type { TextSettings } from './textOptions.ts';

/** What the files of a source hold. */
export interface FileFormat<T> {
  /** For people: the beginning of the source's name. */
  readonly name: string;
  /** What every record has to pass. */
  readonly schema: StandardSchemaV1 | undefined;
  parser(file: string): RecordParser<T>;
}

/** Tells what comes at the end of an open file that was read up to `reached`; `undefined` for a file that cannot grow. */
export type AtEnd = (reached: number | undefined) => Promise<Continuation>;

/** Reads an open file from a place on, and closes it. */
export async function* readFile<T>(
  file: OpenFile,
  format: FileFormat<T>,
  settings: TextSettings,
  from: FilePosition,
  context: ReadContext,
  atEnd: AtEnd,
): AsyncGenerator<SourceBatch<T, FilePosition>, void, undefined> {
  const input = fileInput(file);
  try {
    if (!file.gzipped && file.size < from.offset) throw shrunk(file, from);
    const parser = format.parser(file.path);
    const window = new ByteWindow(input, parser.needsHead ? FILE_START : from, settings.maxLineBytes, file.size);
    if (from.offset > 0 && parser.needsHead) {
      while (parser.needsHead && (await window.fill())) parser.readHead(window);
      window.moveTo(from);
    }
    const batch = new RecordBatch<T>(file.path, format.schema);
    const { rejectDamaged } = settings;
    yield* readRecords({ input, window, parser, batch, rejectDamaged, signal: context.signal, atEnd: () => atEnd(input.reached()) });
  } finally {
    await input.close();
  }
}

function shrunk(file: OpenFile, from: FilePosition): MillraceError {
  return new MillraceError('source/failed', `${file.path} has ${file.size} bytes, but was read up to byte ${from.offset} before.`, {
    remedy: 'It was replaced or cut while the job was down: put the old file back, or start without the checkpoint.',
  });
}
