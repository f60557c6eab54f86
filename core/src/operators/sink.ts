import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import type { CodeSite } from './codeSite.ts';
import type { SinkDefinition, SinkWriter } from './connector.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import type { Operator } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** Elements gather into batches of this many; a pause of the input sends on what there is. */
const BATCH = 1024;
/** The lists that a subtask's state consists of. */
const COMMITTABLES = 'committables';
const WRITER = 'writer';

/** What was written before the barrier of a checkpoint. */
interface Uncommitted {
  readonly checkpoint: number;
  readonly committables: readonly unknown[];
}

/** The last operator: hands elements to a sink's writer, one write at a time. */
export class SinkOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[] = [(value) => this.element(value)];
  private readonly context: OperatorContext;
  private readonly definition: SinkDefinition<unknown, unknown>;
  private writer: SinkWriter<unknown, unknown> | undefined;
  /** Filled again and again, since a new array per batch would cost more than everything else here. */
  private batch: unknown[] = [];
  private filled = 0;
  private pending: Promise<void> | undefined;
  /** What was written before a barrier, until its checkpoint is complete. */
  private uncommitted: Uncommitted[] = [];
  /** Nothing more will be written, and all that was is prepared. */
  private isSealed = false;
  /** What a checkpoint held. */
  private restored: { readonly committables: unknown[]; readonly state: unknown[] } | undefined;

  constructor(context: OperatorContext, definition: SinkDefinition<unknown, unknown>) {
    this.context = context;
    this.definition = definition;
  }

  async open(): Promise<void> {
    const { uid, index, parallelism, metrics, epoch, lineage, clock } = this.context.subtask;
    const { restored } = this;
    const wrote = (bytes: number): void => void (metrics.bytesOut += bytes);
    try {
      this.writer = await this.definition.open({
        uid,
        subtask: index,
        parallelism,
        restored: restored !== undefined,
        epoch,
        lineage,
        clock,
        wrote,
      });
      if (restored === undefined) return;
      if (this.writer.recover !== undefined) await this.writer.recover(restored.committables, restored.state);
      else if (restored.committables.length > 0) await this.writer.commit(restored.committables);
    } catch (error) {
      throw this.failure(error);
    }
  }

  inline(site: CodeSite): void {
    const self = site.bind(this, 'sink');
    if (this.writer?.writeOne === undefined) return site.statement(`${self}.gather(${site.value});`);
    const written = site.evaluate(`${site.bind(this.writer, 'writer')}.writeOne(${site.value})`);
    site.statement(`if (${written} !== undefined) ${self}.wait(${written});`);
  }

  onPause(): void {
    if (this.filled > 0 && this.pending === undefined) this.write();
  }

  /** Everything written so far becomes committables of this checkpoint. */
  async prepareBarrier(checkpoint: number, isLast: boolean): Promise<void> {
    try {
      const committables = await this.prepare(isLast ? undefined : checkpoint);
      this.isSealed = isLast;
      if (committables.length > 0) this.uncommitted.push({ checkpoint, committables });
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Commits whatever this checkpoint, or one before it, holds. */
  async onCheckpointComplete(checkpoint: number): Promise<void> {
    const due = this.uncommitted.filter((each) => each.checkpoint <= checkpoint);
    if (due.length === 0 || this.writer === undefined) return;
    try {
      await this.writer.commit(due.flatMap(({ committables }) => committables));
      this.uncommitted = this.uncommitted.filter((each) => !due.includes(each));
    } catch (error) {
      throw this.failure(error);
    }
  }

  operatorEntries(): Iterable<OperatorStateEntry> {
    const committables = { state: COMMITTABLES, mode: 'split', items: this.uncommitted.flatMap((each) => each.committables) } as const;
    // Every subtask gets those of all: which of them goes on with what only the writer can tell.
    const state = this.writer?.state?.() ?? [];
    return state.length === 0 ? [committables] : [committables, { state: WRITER, mode: 'union', items: state }];
  }

  restoreOperatorEntry({ state, items }: OperatorStateEntry): void {
    this.restored ??= { committables: [], state: [] };
    (state === WRITER ? this.restored.state : this.restored.committables).push(...items);
  }

  async finish(): Promise<void> {
    try {
      const last = this.isSealed ? [] : await this.prepare();
      await this.writer!.commit([...this.uncommitted.flatMap(({ committables }) => committables), ...last]);
      this.uncommitted = [];
      const { writer } = this;
      this.writer = undefined;
      await writer!.close?.();
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** After a failure: `finish` has closed it otherwise. */
  async close(failure?: unknown): Promise<void> {
    const { writer } = this;
    this.writer = undefined;
    await writer?.close?.(failure);
  }

  private async prepare(checkpoint?: number): Promise<readonly unknown[]> {
    await this.pending;
    if (this.filled > 0) await this.writer!.write(this.take());
    return this.writer!.prepare(checkpoint);
  }

  private element(value: unknown): void {
    if (this.writer!.writeOne === undefined) return this.gather(value);
    const written = this.writer!.writeOne(value);
    if (written !== undefined) this.wait(written);
  }

  /** Called by generated code. */
  gather(value: unknown): void {
    if (this.filled === this.batch.length) this.batch.push(value);
    else this.batch[this.filled] = value;
    if (++this.filled >= BATCH && this.pending === undefined) this.write();
  }

  private write(): void {
    let written: void | Promise<void>;
    try {
      written = this.writer!.write(this.take());
    } catch (error) {
      throw this.failure(error);
    }
    if (written === undefined) return;
    this.batch = [];
    this.wait(written);
  }

  private take(): readonly unknown[] {
    const batch = this.filled === this.batch.length ? this.batch : this.batch.slice(0, this.filled);
    this.filled = 0;
    return batch;
  }

  /**
   * Called by generated code: blocks the chain until a write is through, then goes on with what gathered meanwhile. What is no
   * promise is what a user's function happened to return.
   */
  wait(written: void | Promise<void>): void {
    if (typeof written?.then !== 'function') return;
    this.context.block();
    const before = this.pending;
    const all = before === undefined ? written : Promise.all([before, written]);
    const pending = all.then(
      () => {
        if (this.pending === pending) this.pending = undefined;
        this.context.unblock();
        if (this.filled >= BATCH) this.context.mail(() => this.onPause());
      },
      (error: unknown) => {
        const failure = this.failure(error);
        this.context.unblock();
        this.context.mail(() => {
          throw failure;
        });
      },
    );
    this.pending = pending;
  }

  private failure(error: unknown): MillraceError {
    const { uid } = this.context.subtask;
    if (isMillraceError(error)) return error.at(uid);
    return new MillraceError('sink/failed', `The sink ${this.definition.name} failed: ${describeError(error)}.`, {
      uid,
      remedy: 'Mend its target, then start the job again.',
      cause: error,
    });
  }
}
