import { MillraceError, isMillraceError } from '../errors/millraceError.ts';
import type { SourceBatch } from '../operators/connector.ts';
import type { ByteInput } from './byteInput.ts';
import type { ByteWindow } from './byteWindow.ts';
import type { FilePosition } from './filePosition.ts';
import { rejectLongLine } from './lineParser.ts';
import type { RecordBatch } from './recordBatch.ts';
import type { RecordParser } from './recordParser.ts';

/** What stands at the end of what a file holds now: more has come meanwhile, this is the end, or nobody wants the rest. */
export type Continuation = 'more' | 'end' | 'stop';

/** One file being read. */
export interface RecordReading<T> {
  readonly input: ByteInput;
  readonly window: ByteWindow;
  readonly parser: RecordParser<T>;
  readonly batch: RecordBatch<T>;
  readonly rejectDamaged: boolean;
  readonly signal: AbortSignal;
  /** Asked whenever everything that stands there was read. */
  readonly atEnd: () => Promise<Continuation>;
}

/** Reads records in batches until the end, or until the signal. */
export async function* readRecords<T>(reading: RecordReading<T>): AsyncGenerator<SourceBatch<T, FilePosition>, void, undefined> {
  const { input, window, parser, batch, signal } = reading;
  while (!signal.aborted) {
    takeLongLine(reading);
    if (parser.needsHead) parser.readHead(window);
    while (!parser.needsHead && !signal.aborted) {
      parser.parse(window, batch);
      if (!batch.full) break;
      yield await batch.take(window.position, input.taken());
    }
    if (!batch.empty) yield await batch.take(window.position, input.taken());
    if (window.ended) break;
    if (!(await readOn(reading))) return;
  }
  const bytes = input.taken();
  if (window.ended && bytes > 0) yield await batch.take(window.position, bytes);
}

/** Gets more into the window. Resolves to false if nobody wants it. */
async function readOn<T>({ window, batch, rejectDamaged, atEnd }: RecordReading<T>): Promise<boolean> {
  try {
    if (await window.fill()) return true;
  } catch (error) {
    if (!rejectDamaged || !isMillraceError(error) || !error.code.startsWith('gzip/')) throw error;
    batch.reject(error.code, error.message, window.line, window.rest());
    window.abandon();
    return true;
  }
  const next = await atEnd();
  if (next === 'end') window.end();
  return next !== 'stop';
}

function takeLongLine<T>({ window, parser, batch }: RecordReading<T>): void {
  const { longLine } = window;
  if (longLine === undefined) return;
  if (parser.needsHead) {
    throw new MillraceError('text/line-too-long', `The header has ${longLine.bytes} bytes, more than ${window.maxLine}.`, {
      remedy: 'Check that this is the right file; or raise maxLineBytes.',
    });
  }
  rejectLongLine(batch, longLine.line, longLine.bytes, window.maxLine, longLine.head);
  window.longLine = undefined;
}
