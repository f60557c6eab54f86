import { platform } from '#platform';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { DiscoveryContext } from '../operators/connector.ts';
import { ByteReader } from '../state/byteReader.ts';
import { ByteWriter } from '../state/byteWriter.ts';
import { ValueCodec } from '../state/valueCodec.ts';
import { type Duration, toPositiveMilliseconds } from '../time/duration.ts';

/** What a connector owes the engine: the rules that `checkSource` and `checkSink` try, by name, as what to do. */
export const CONTRACT = {
  open: 'Let open() give a reader or writer each time that it is called.',
  answer: 'Let every promise be fulfilled or rejected, and every iteration end, without anybody waiting for long.',
  splits:
    'Let splits() name at least no split twice, the same ones each time, and end when nothing more is to be found: context.bounded says that it is wanted so.',
  batch: 'Yield batches of values (an array), position (what to go on with behind them) and, where records were refused, rejected.',
  'batch/owned': 'Yield a new array for each batch: the engine still works on one while it asks for the next.',
  'batch/progress': 'Yield a batch without values only to move the position, to hand over rejected records or to report bytes.',
  'position/plain': 'Let positions be plain data that stay as they are: they are stored in checkpoints.',
  complete: 'Yield each element once, the elements of a split in their order.',
  repeat: 'Let a split give the same elements whenever and however often it is read, also while other splits are read.',
  resume: 'Begin exactly behind the position that read() is given, also in a reader whose splits() was not called.',
  abort: 'End the iteration when context.signal is aborted, also while waiting for elements.',
  committed:
    'Let committed() be told the same again, in another reader too and of splits that it never read, and read() go on from a position that was told.',
  size: 'Let size() tell the bytes of a split, and the bytes of its batches add up to no more.',
  close: 'Let close() let go of everything without an error, also when reading or writing has not come to its end.',
  written: 'Make everything that was written visible once, in the order of writing, when it is committed and the writer is closed.',
  'write/array':
    'Take the elements out of the array that write() is given before it returns or its promise is fulfilled: the engine uses it again.',
  'write/immutable': 'Leave the elements as they are.',
  'write/bytes': 'Report bytes written as whole numbers of at least 0.',
  'commit/hidden': 'Make nothing visible before commit() where prepare() returns committables.',
  'commit/own': 'Commit what the committables stand for and nothing that was written later.',
  'commit/again': 'Let commit() do nothing for what is committed already, also when another writer committed it.',
  'commit/plain': 'Let committables be plain data: they are stored in checkpoints, and another process may commit them.',
  abandon: 'Let abort() drop what the committables stand for.',
  recover:
    'Let recover(), or commit() where there is none, make visible what a checkpoint holds, go on from its state, and drop what was written after it.',
  failure: 'Make nothing visible that was not written, also when the writer is closed before its end.',
  subtasks: 'Let the writers of several subtasks work beside each other.',
} as const;

export type Rule = keyof typeof CONTRACT;

/** A rule is broken. */
export function broken(rule: Rule, problem: string, cause?: unknown): MillraceError {
  return new MillraceError('testing/contract', `Rule "${rule}" is broken: ${problem}.`, { remedy: CONTRACT[rule], cause });
}

export function must(holds: boolean, rule: Rule, problem: () => string): asserts holds {
  if (!holds) throw broken(rule, problem());
}

/** Waits for a connector's answer, not for ever. What it throws breaks `rule`. */
export async function answered<R>(answer: () => R | PromiseLike<R>, what: string, rule: Rule, patience: Duration): Promise<R> {
  const { clock } = platform;
  let cancel: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.schedule(clock.now() + toPositiveMilliseconds(patience, 'patience'), () =>
      reject(broken('answer', `${what} does not answer`)),
    );
  });
  try {
    return await Promise.race([(async () => answer())(), late]);
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'testing/contract') throw error;
    throw broken(rule, `${what} fails with "${describeError(error)}"`, error);
  } finally {
    cancel();
  }
}

/** Lets pending promises settle, and the event loop turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => platform.later(resolve));
}

/** A context as the engine gives it in batch mode. */
export function contractContext(signal: AbortSignal, ended: DiscoveryContext['ended']): DiscoveryContext {
  return { signal, bounded: true, clock: platform.clock, later: (callback) => platform.later(callback), ended };
}

/** A value as a checkpoint stores it. */
export function stored(value: unknown): Uint8Array {
  const codec = new ValueCodec();
  const body = new ByteWriter();
  codec.write(value, body);
  const writer = new ByteWriter();
  new ValueCodec().write(codec.shapes(), writer);
  writer.raw(body.written());
  return writer.take();
}

/** The value that was stored, as another process would see it. */
export function loaded(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  const codec = new ValueCodec();
  codec.learn(new ValueCodec().read(reader) as readonly string[][]);
  return codec.read(reader);
}

/** The same bytes. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}
