import type { Barrier, Element } from '../element/element.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { decodeRecords, encodeRecords } from './recordColumns.ts';

/*
 * What goes between two hosts: the elements of many channels, and the credit that comes back. All numbers are little-endian.
 *
 *   kind     one byte
 *   channel  four bytes
 *   content  as its kind has it
 */

const RECORDS = 1;
const WATERMARK = 2;
const STATUS = 3;
const BARRIER = 4;
const END = 5;
const CREDIT = 6;

const HEADER = 5;
const SAVEPOINT = 1;
const LAST = 2;

/** What a frame says: an element of a channel, or how many further records its consumer can take. */
export type Frame = Element | Credit;

/** The consumer of a channel has taken records, and takes as many more. */
export interface Credit {
  readonly kind: 'credit';
  readonly records: number;
}

/** A frame's bytes. */
export function encodeFrame(channel: number, frame: Frame): Uint8Array<ArrayBuffer> {
  switch (frame.kind) {
    case 'records':
      return withHeader(encodeRecords(frame, HEADER), RECORDS, channel);
    case 'watermark':
      return numbered(WATERMARK, channel, frame.timestamp);
    case 'status':
      return flagged(STATUS, channel, frame.idle ? 1 : 0);
    case 'barrier':
      return barrier(channel, frame);
    case 'end':
      return flagged(END, channel, frame.drained ? 1 : 0);
    case 'credit':
      return numbered(CREDIT, channel, frame.records);
  }
}

/** The channel of a frame. */
export function channelOf(bytes: Uint8Array): number {
  return viewOf(bytes).getUint32(1, true);
}

/** The frame in some bytes. */
export function decodeFrame(bytes: Uint8Array<ArrayBuffer>): Frame {
  const view = viewOf(bytes);
  switch (bytes[0]) {
    case RECORDS:
      return decodeRecords(bytes, HEADER);
    case WATERMARK:
      return { kind: 'watermark', timestamp: view.getFloat64(HEADER, true) };
    case STATUS:
      return { kind: 'status', idle: bytes[HEADER] === 1 };
    case BARRIER: {
      const flags = bytes[HEADER + 8]!;
      return { kind: 'barrier', checkpoint: view.getFloat64(HEADER, true), savepoint: (flags & SAVEPOINT) > 0, last: (flags & LAST) > 0 };
    }
    case END:
      return { kind: 'end', drained: bytes[HEADER] === 1 };
    case CREDIT:
      return { kind: 'credit', records: view.getFloat64(HEADER, true) };
    default:
      throw new MillraceError('codec/corrupt', `A frame of kind ${bytes[0]} has come, which there is not.`, {
        remedy: 'Both ends must run the same version of the engine.',
      });
  }
}

/** Whether a frame brings credit: it is for the producer of its channel, every other for the consumer. */
export function isCredit(bytes: Uint8Array): boolean {
  return bytes[0] === CREDIT;
}

/** How many records a frame holds; 0 for one without any. */
export function recordsIn(bytes: Uint8Array): number {
  return bytes[0] === RECORDS ? viewOf(bytes).getUint32(HEADER, true) : 0;
}

function withHeader(bytes: Uint8Array<ArrayBuffer>, kind: number, channel: number): Uint8Array<ArrayBuffer> {
  bytes[0] = kind;
  viewOf(bytes).setUint32(1, channel, true);
  return bytes;
}

function numbered(kind: number, channel: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = withHeader(new Uint8Array(HEADER + 8), kind, channel);
  viewOf(bytes).setFloat64(HEADER, value, true);
  return bytes;
}

function flagged(kind: number, channel: number, flag: number): Uint8Array<ArrayBuffer> {
  const bytes = withHeader(new Uint8Array(HEADER + 1), kind, channel);
  bytes[HEADER] = flag;
  return bytes;
}

function barrier(channel: number, { checkpoint, savepoint, last }: Barrier): Uint8Array<ArrayBuffer> {
  const bytes = withHeader(new Uint8Array(HEADER + 9), BARRIER, channel);
  viewOf(bytes).setFloat64(HEADER, checkpoint, true);
  bytes[HEADER + 8] = (savepoint ? SAVEPOINT : 0) | (last ? LAST : 0);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
