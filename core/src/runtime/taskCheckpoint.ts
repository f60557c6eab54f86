import { CutWriter } from '../checkpoint/cutWriter.ts';
import { KeyedSegmentWriter, writeEntries } from '../checkpoint/keyedSegment.ts';
import { SegmentMemory } from '../checkpoint/segmentMemory.ts';
import type { Segment, SubtaskState } from '../checkpoint/manifest.ts';
import type { PlainState } from '../checkpoint/restore.ts';
import type { CheckpointStorage } from '../checkpoint/storage.ts';
import type { Barrier } from '../element/element.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { KeyedCut } from '../state/recordSink.ts';
import { encodeSelfContained } from '../state/selfContained.ts';
import type { Link } from './link.ts';
import type { Platform } from './platform.ts';
import type { Task } from './task.ts';

/** Where a task's part of a checkpoint goes. */
export interface CheckpointTarget {
  readonly storage: Pick<CheckpointStorage, 'write'>;
  /** The name of the task's n-th object. */
  readonly nameOf: (part: number) => string;
  readonly crc32: (bytes: Uint8Array) => number;
}

/** Keyed state is written in segments of about this many bytes, several to an object of about as many again. */
const SEGMENT = 4 * 2 ** 20;
const OBJECT = 16 * 2 ** 20;
/** How long writing state out may hold the event loop, in ms per turn, and how many records are written between two looks at the clock. */
const TURN = 0.4;
const RECORDS = 32;
/** A chain of changes that is longer than its whole, or has more parts, is replaced by a new whole. */
const LONGEST_CHAIN = 32;
const SMALLEST_CHAIN = 2 ** 20;

/** The keyed state of an operator in the storage: a whole, and what has changed since. */
interface StoredChain {
  readonly whole: readonly Segment[];
  readonly changes: readonly Segment[];
}

/** An operator at a barrier: what is taken at once, and the keyed state that is written out while it goes on. */
interface LinkCut {
  readonly link: Link;
  readonly plain: Uint8Array;
  readonly own: Uint8Array | undefined;
  readonly keyed: KeyedCut;
  readonly writer: CutWriter;
}

/** A task's part in the checkpoints of its job. */
export class TaskCheckpoints {
  private readonly task: Task;
  private readonly platform: Platform;
  private readonly chains = new Map<string, StoredChain>();
  private readonly memory = new SegmentMemory();
  private working: Promise<void> = Promise.resolve();
  /** How many parts could not be kept. What they held is in the next cut. */
  private failures = 0;

  constructor(task: Task, platform: Platform) {
    this.task = task;
    this.platform = platform;
    for (const { context } of task.chain.links) context.subtask.backend.track();
  }

  /** Takes the state at the barrier and keeps it. What is returned is fulfilled when every byte is in the storage. */
  take({ savepoint }: Barrier, target: CheckpointTarget): Promise<SubtaskState[]> {
    const cuts = this.cut(savepoint);
    const { failures } = this;
    // One after the other: they share the processor with the task itself.
    const kept = this.working.then(() => this.keep(cuts, savepoint || failures === this.failures, savepoint, target));
    this.working = kept.then(
      () => undefined,
      () => undefined,
    );
    return kept;
  }

  private cut(savepoint: boolean): LinkCut[] {
    const { feed, finished } = this.task.snapshotFeed();
    return this.task.chain.snapshotPlain().map(({ link, watermark, ended = false, random, operator }, i): LinkCut => {
      const plain: PlainState = { watermark, random, operator, feed: i === 0 ? feed : undefined, finished, ended };
      const { backend } = link.context.subtask;
      const own = new KeyedSegmentWriter();
      const owned = writeEntries(link.operator.entries?.() ?? [], own);
      const writer = new CutWriter((state) => backend.formOf(state), this.memory);
      const keyed = backend.cut(writer, { whole: savepoint || this.needsWhole(link.uid), apart: savepoint });
      return { link, plain: encodeSelfContained(plain), own: owned === 0 ? undefined : own.finish(), keyed, writer };
    });
  }

  private needsWhole(uid: string): boolean {
    const chain = this.chains.get(uid);
    if (chain === undefined || chain.changes.length >= LONGEST_CHAIN) return true;
    const changed = bytesOf(chain.changes);
    return changed > SMALLEST_CHAIN && changed > bytesOf(chain.whole);
  }

  private async keep(cuts: readonly LinkCut[], hasBase: boolean, savepoint: boolean, target: CheckpointTarget): Promise<SubtaskState[]> {
    const objects = new ObjectWriter(target, this.memory);
    const states: SubtaskState[] = [];
    try {
      if (!hasBase) throw baseless();
      for (const cut of cuts) states.push(await this.keepLink(cut, objects, savepoint));
      await objects.finish();
    } catch (error) {
      for (const { keyed } of cuts) keyed.abandon();
      if (!savepoint) this.failures++;
      throw error;
    }
    if (!savepoint) for (const { uid, whole, changes } of states) this.chains.set(uid, { whole, changes });
    return states;
  }

  private async keepLink({ link, plain, own, keyed, writer }: LinkCut, objects: ObjectWriter, savepoint: boolean): Promise<SubtaskState> {
    const { index, parallelism } = this.task;
    const gone: Segment[] = [];
    const records: Segment[] = [];
    const keepFrom = async (length: number): Promise<void> => {
      if (writer.tombstones.length >= length) gone.push(await objects.add(writer.tombstones.finish()));
      if (writer.length >= length) records.push(await objects.add(writer.finish()));
    };
    while (await this.writeSome(keyed, writer)) await keepFrom(SEGMENT);
    await keepFrom(1);
    const segments = [...gone, ...records];
    const before = savepoint ? undefined : this.chains.get(link.uid);
    return {
      uid: link.uid,
      subtask: index,
      parallelism,
      plain: await objects.add(plain),
      own: own === undefined ? null : await objects.add(own),
      whole: keyed.whole ? segments : before!.whole,
      changes: keyed.whole ? [] : [...before!.changes, ...segments],
    };
  }

  /** Writes until a segment is full, giving the event loop its turns. False when everything is written. */
  private async writeSome(keyed: KeyedCut, writer: CutWriter): Promise<boolean> {
    const { clock } = this.platform;
    for (;;) {
      const until = clock.monotonic() + TURN;
      do {
        if (!keyed.step(RECORDS)) return false;
        if (writer.length >= SEGMENT || writer.tombstones.length >= SEGMENT) return true;
      } while (keyed.fetching === undefined && clock.monotonic() < until);
      if (keyed.fetching !== undefined) await keyed.fetching;
      else await new Promise<void>((resolve) => this.platform.later(resolve));
    }
  }
}

/** Gathers segments into objects. */
class ObjectWriter {
  private readonly target: CheckpointTarget;
  private readonly memory: SegmentMemory;
  private parts: Uint8Array[] = [];
  private length = 0;
  private part = 0;

  /** `memory` gets back what the parts stand in. */
  constructor(target: CheckpointTarget, memory: SegmentMemory) {
    this.target = target;
    this.memory = memory;
  }

  async add(bytes: Uint8Array): Promise<Segment> {
    const object = this.target.nameOf(this.part);
    const segment: Segment = { object, offset: this.length, length: bytes.length, checksum: this.target.crc32(bytes) };
    this.parts.push(bytes);
    this.length += bytes.length;
    if (this.length >= OBJECT) await this.finish();
    return segment;
  }

  async finish(): Promise<void> {
    if (this.parts.length === 0) return;
    const { parts } = this;
    const name = this.target.nameOf(this.part++);
    this.parts = [];
    this.length = 0;
    await this.target.storage.write(name, parts);
    for (const bytes of parts) this.memory.giveBack(bytes);
  }
}

/** The part before, whose changes this one does not repeat, could not be kept. */
function baseless(): MillraceError {
  return new MillraceError('checkpoint/aborted', 'The checkpoint before it, which it builds on, could not be kept.', {
    remedy: 'Nothing to do: the next one holds everything.',
  });
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0);
}
