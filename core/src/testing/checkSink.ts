import { platform } from '#platform';
import { valueText } from '../connectors/valueText.ts';
import type { Sink, SinkContext, SinkWriter } from '../operators/connector.ts';
import type { Duration } from '../time/duration.ts';
import { answered, broken, loaded, must, stored } from './connectorContract.ts';
import { missingItems, sameItems } from './deepEqual.ts';

/** A sink on an empty target of its own, and how to look into the target. */
export interface SinkTarget<T> {
  readonly sink: Sink<T>;
  /** Everything that a reader of the target sees now, in order. */
  readonly visible: () => readonly T[] | Promise<readonly T[]>;
}

/** Options of {@link checkSink}. */
export interface SinkCheck<T> {
  /** At least two elements, as different as the sink takes them. */
  readonly values: readonly T[];
  /** How long an answer may take. Default 10 seconds. */
  readonly patience?: Duration;
}

/**
 * Tries whether a sink keeps the contract of {@link SinkWriter}, on its real target: once for each rule, so the function has to give a
 * fresh target each time. Needs no test framework.
 *
 * @throws MillraceError `testing/contract` with the rule that is broken and what was seen.
 * @example
 * await checkSink(
 *   () => {
 *     const target: number[] = [];
 *     return { sink: forEach((n: number) => target.push(n)), visible: () => target };
 *   },
 *   { values: [1, 2, 3] },
 * );
 */
export async function checkSink<T>(target: () => SinkTarget<T> | Promise<SinkTarget<T>>, options: SinkCheck<T>): Promise<void> {
  const contract = new SinkContract(target, options);
  const transactional = await contract.checkWritten();
  await contract.checkNothingWritten();
  await contract.checkRounds(transactional);
  await contract.checkFailure(transactional);
  await contract.checkSubtasks();
  if (!transactional) return;
  await contract.checkCommittedAgain();
  await contract.checkCommittedElsewhere();
  await contract.checkAbandoned();
  await contract.checkRecovered();
}

type Writer<T> = SinkWriter<T, unknown>;

/** What only happens in a job with checkpoints. */
const CHECKPOINTED = { epoch: 1, lineage: 'the checks' };
const RESTARTED = { epoch: 2, lineage: 'the checks', restored: true };

class SinkContract<T> {
  private readonly target: () => SinkTarget<T> | Promise<SinkTarget<T>>;
  private readonly values: readonly T[];
  private readonly patience: Duration;

  constructor(target: () => SinkTarget<T> | Promise<SinkTarget<T>>, { values, patience = { seconds: 10 } }: SinkCheck<T>) {
    this.target = target;
    this.values = values;
    this.patience = patience;
  }

  /** The life of a writer without any trouble. True for a sink that holds back what it writes. */
  async checkWritten(): Promise<boolean> {
    const target = await this.target();
    const writer = await this.open(target);
    await this.write(writer, this.values);
    const committables = await this.prepare(writer);
    if (committables.length > 0) await this.sees(target, [], 'commit/hidden', 'after prepare()');
    await this.commit(writer, committables);
    await this.close(writer);
    await this.sees(target, this.values, 'written', 'after commit() and close()');
    return committables.length > 0;
  }

  async checkNothingWritten(): Promise<void> {
    const target = await this.target();
    const writer = await this.open(target);
    await this.commit(writer, await this.prepare(writer));
    await this.close(writer);
    await this.sees(target, [], 'written', 'when nothing was written');
  }

  /** What is written after a barrier does not belong to it. */
  async checkRounds(transactional: boolean): Promise<void> {
    const target = await this.target();
    const writer = await this.open(target);
    await this.write(writer, this.firstHalf);
    const committables = await this.prepare(writer);
    await this.write(writer, this.values.slice(this.firstHalf.length));
    await this.commit(writer, committables);
    if (transactional) await this.sees(target, this.firstHalf, 'commit/own', 'after the first of two commits');
    await this.commit(writer, await this.prepare(writer));
    await this.close(writer);
    await this.sees(target, this.values, 'written', 'after two commits');
  }

  async checkFailure(transactional: boolean): Promise<void> {
    const target = await this.target();
    const writer = await this.open(target);
    await this.write(writer, this.firstHalf);
    await this.close(writer, new Error('The job failed.'));
    if (transactional) return this.sees(target, [], 'commit/hidden', 'after close() without commit()');
    const invented = missingItems(await this.visible(target), this.firstHalf).length;
    must(invented === 0, 'failure', () => `after close() without prepare() ${invented} elements are visible that were not written`);
  }

  async checkSubtasks(): Promise<void> {
    const target = await this.target();
    const writers = await Promise.all([0, 1].map((subtask) => this.open(target, { subtask, parallelism: 2 })));
    const shares = writers.map((_, subtask) => this.values.filter((_value, i) => i % 2 === subtask));
    await Promise.all(writers.map((writer, subtask) => this.write(writer, shares[subtask]!)));
    for (const writer of writers) await this.commit(writer, await this.prepare(writer));
    for (const writer of writers) await this.close(writer);
    const visible = await this.visible(target);
    const missing = missingItems(this.values, visible).length;
    const extra = missingItems(visible, this.values).length;
    must(missing + extra === 0, 'subtasks', () => `with two writers ${missing} elements are missing, and there are ${extra} others`);
  }

  async checkCommittedAgain(): Promise<void> {
    const target = await this.target();
    const writer = await this.open(target, CHECKPOINTED);
    await this.write(writer, this.values);
    const committables = await this.prepare(writer);
    for (let times = 0; times < 2; times++) await this.commit(writer, committables);
    await this.close(writer);
    const other = await this.open(target, RESTARTED);
    await this.commit(other, committables);
    await this.close(other);
    await this.sees(target, this.values, 'commit/again', 'after commit() was called three times');
  }

  /** The job failed between the checkpoint and its completion, and another one takes over. */
  async checkCommittedElsewhere(): Promise<void> {
    const target = await this.target();
    const writer = await this.open(target, CHECKPOINTED);
    await this.write(writer, this.firstHalf);
    const committables = await this.prepare(writer);
    await this.write(writer, this.values.slice(this.firstHalf.length));
    await this.close(writer, new Error('The job failed.'));
    const other = await this.open(target, RESTARTED);
    await this.commit(other, committables);
    await this.close(other);
    await this.sees(target, this.firstHalf, 'commit/own', 'after another writer has committed what a failed one had prepared');
  }

  async checkAbandoned(): Promise<void> {
    const target = await this.target();
    const writer = await this.open(target, CHECKPOINTED);
    await this.write(writer, this.values);
    const committables = await this.prepare(writer);
    if (writer.abort !== undefined) await answered(() => writer.abort!(committables), 'abort()', 'abandon', this.patience);
    await this.close(writer);
    await this.sees(target, [], 'abandon', 'after abort()');
  }

  /** The job failed after a checkpoint, and another one goes on from it and writes the rest again. */
  async checkRecovered(): Promise<void> {
    const target = await this.target();
    const rest = this.values.slice(this.firstHalf.length);
    const writer = await this.open(target, CHECKPOINTED);
    await this.write(writer, this.firstHalf);
    const committables = await this.prepare(writer, 1);
    const state = this.plain(writer.state?.() ?? []);
    await this.write(writer, rest);
    await this.prepare(writer, 2);
    await this.close(writer, new Error('The job failed.'));
    const other = await this.open(target, RESTARTED);
    if (other.recover === undefined) await this.commit(other, committables);
    else await answered(() => other.recover!(committables, state), 'recover()', 'recover', this.patience);
    await this.write(other, rest);
    await this.commit(other, await this.prepare(other, 3));
    await this.commit(other, await this.prepare(other));
    await this.close(other);
    await this.sees(target, this.values, 'recover', 'after a failure and recover()');
  }

  private get firstHalf(): readonly T[] {
    return this.values.slice(0, Math.ceil(this.values.length / 2));
  }

  private open({ sink }: SinkTarget<T>, place: Partial<SinkContext> = {}): Promise<Writer<T>> {
    const wrote = (bytes: number): void =>
      must(Number.isSafeInteger(bytes) && bytes >= 0, 'write/bytes', () => `it reports ${bytes} bytes`);
    const open = sink.definition.open as unknown as (context: SinkContext) => Writer<T> | Promise<Writer<T>>;
    const { clock } = platform;
    const context = { uid: 'sink', subtask: 0, parallelism: 1, restored: false, epoch: 0, lineage: '', clock, wrote, ...place };
    return answered(() => open(context), 'open()', 'open', this.patience);
  }

  /** As the engine does: one call at a time, in batches of several sizes, in an array that is used again. */
  private async write(writer: Writer<T>, values: readonly T[]): Promise<void> {
    const before = values.map(valueText);
    const array: T[] = [];
    for (let at = 0, size = 1; at < values.length; at += size, size *= 3) {
      const batch = values.slice(at, at + size);
      if (writer.writeOne === undefined) {
        array.splice(0, array.length, ...batch);
        await answered(() => writer.write(array), 'write()', 'written', this.patience);
        array.fill(undefined as T);
      } else {
        for (const value of batch) await answered(() => writer.writeOne!(value), 'writeOne()', 'written', this.patience);
      }
    }
    must(sameItems(values.map(valueText), before), 'write/immutable', () => 'an element changed while it was written');
  }

  private async prepare(writer: Writer<T>, checkpoint?: number): Promise<readonly unknown[]> {
    const committables = await answered(() => writer.prepare(checkpoint), 'prepare()', 'written', this.patience);
    must(Array.isArray(committables), 'commit/plain', () => 'prepare() gives no array');
    return this.plain(committables);
  }

  private plain(items: readonly unknown[]): readonly unknown[] {
    try {
      return items.map((item) => loaded(stored(item)));
    } catch (error) {
      throw broken('commit/plain', 'a committable, or a piece of state, cannot be stored', error);
    }
  }

  private commit(writer: Writer<T>, committables: readonly unknown[]): Promise<void> {
    return answered(() => writer.commit(committables), 'commit()', 'written', this.patience);
  }

  private close(writer: Writer<T>, failure?: unknown): Promise<void> {
    return answered(async () => writer.close?.(failure), 'close()', 'close', this.patience);
  }

  private visible({ visible }: SinkTarget<T>): Promise<readonly T[]> {
    return answered(visible, 'visible()', 'written', this.patience);
  }

  private async sees(
    target: SinkTarget<T>,
    expected: readonly T[],
    rule: 'written' | 'commit/hidden' | 'commit/own' | 'commit/again' | 'abandon' | 'recover',
    when: string,
  ): Promise<void> {
    const visible = await this.visible(target);
    if (sameItems(visible, expected)) return;
    // An array that is used again while it is still needed shows as elements that are not there.
    const emptied = visible.some((value) => value === undefined) && !expected.includes(undefined as T);
    const seen = `${when} ${visible.length} elements are visible instead of ${expected.length}, or others`;
    throw broken(emptied ? 'write/array' : rule, seen);
  }
}
