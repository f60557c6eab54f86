import { defineSink, type Sink, type SinkContext, type SinkWriter } from '@millrace/core';
import type { JobSpec } from './jobSpec.ts';
import type { SharedDisk } from './simulatedStorage.ts';
import type { SimulatedProcess } from './simulatedProcess.ts';

/** What a checkpoint holds of a transaction: its lines, or its name alone. */
interface Committable {
  readonly id: string;
  readonly lines: readonly string[];
}

/** A transaction that goes on over checkpoints, and how far it was written. */
interface Continued {
  readonly id: string;
  readonly length: number;
}

/** Whether something is to fail now: before it was done, or after. */
export type Failure = () => 'before' | 'after' | undefined;

/** A target that processes share: what is prepared becomes visible when it is committed, each transaction once. */
export class Target {
  /** What a reader sees. */
  readonly visible: string[] = [];
  /** What no sink may do. */
  readonly violations: string[] = [];
  private readonly committed = new Set<string>();
  private readonly prepared = new Map<string, string[]>();
  /** The disk of the checkpoints. */
  private readonly disk: () => SharedDisk;
  private transactions = 0;

  constructor(disk: () => SharedDisk) {
    this.disk = disk;
  }

  sink(name: string, kind: JobSpec['sinks'], process: SimulatedProcess, failure: Failure): Sink<unknown> {
    return defineSink<unknown, Committable, Continued>({
      name: 'target',
      open: (context) => new Writer(this, name, kind, process, failure, context),
    });
  }

  newId(process: SimulatedProcess): string {
    return `${process.name} ${++this.transactions}`;
  }

  keep(id: string, lines: readonly string[]): void {
    this.prepared.set(id, [...(this.prepared.get(id) ?? []), ...lines]);
  }

  /** Whether something was prepared that is not visible yet. */
  isOpen(id: string): boolean {
    return this.prepared.has(id) && !this.committed.has(id);
  }

  cutTo({ id, length }: Continued): void {
    const lines = this.prepared.get(id);
    if (lines === undefined || lines.length < length) this.violations.push(`"${id}" goes on at ${length}, where nothing is`);
    else this.prepared.set(id, lines.slice(0, length));
  }

  commit({ id, lines }: Committable): void {
    const { newest } = this.disk();
    if (newest !== undefined) newest.isCommitted = true;
    if (this.committed.has(id)) return;
    this.committed.add(id);
    this.visible.push(...lines, ...(this.prepared.get(id) ?? []));
    this.prepared.delete(id);
  }
}

/** A writer of one of three kinds: transactions whose lines are in the checkpoint, in the target, or go on over checkpoints. */
class Writer implements SinkWriter<unknown, Committable, Continued> {
  private readonly target: Target;
  private readonly name: string;
  private readonly kind: JobSpec['sinks'];
  private readonly process: SimulatedProcess;
  private readonly failure: Failure;
  private readonly isRestored: boolean;
  private open: string[] = [];
  private continued: { readonly id: string; length: number } | undefined;
  private prepares = 0;
  /** Those whose commit has been acknowledged to the engine. */
  private readonly done = new Set<string>();

  constructor(target: Target, name: string, kind: JobSpec['sinks'], process: SimulatedProcess, failure: Failure, context: SinkContext) {
    this.target = target;
    this.name = name;
    this.kind = kind;
    this.process = process;
    this.failure = failure;
    this.isRestored = context.restored;
  }

  write(values: readonly unknown[]): void | Promise<void> {
    const lines = values.map((value) => `${this.name} ${JSON.stringify(value)}`);
    const fails = this.failure();
    if (fails !== undefined) {
      return this.process.outside(2, () => {
        throw new Error('the target does not take it');
      });
    }
    this.open.push(...lines);
    // A target that takes its time: the chain waits.
    return this.process.random() < 0.1 ? this.process.outside(5, () => undefined) : undefined;
  }

  async prepare(checkpoint?: number): Promise<readonly Committable[]> {
    const lines = this.open;
    this.open = [];
    const committables = await this.carefully(() => this.prepared(lines, checkpoint === undefined));
    this.process.tell('prepared');
    return committables;
  }

  state(): readonly Continued[] {
    return this.continued === undefined ? [] : [{ ...this.continued }];
  }

  async commit(committables: readonly Committable[]): Promise<void> {
    for (const { id } of committables) if (this.done.has(id)) this.target.violations.push(`"${id}" is committed twice by one writer`);
    this.process.tell('commit begun');
    await this.carefully(() => {
      for (const committable of committables) this.target.commit(committable);
      this.process.tell('committed');
    });
    for (const { id } of committables) this.done.add(id);
  }

  async recover(committables: readonly Committable[], state: readonly Continued[]): Promise<void> {
    if (!this.isRestored) this.target.violations.push('recovered without a checkpoint');
    await this.carefully(() => {
      for (const committable of committables) this.target.commit(committable);
      // Each subtask is told of what all others had open: the first ends it where the checkpoint was.
      for (const continued of state) {
        if (this.target.isOpen(continued.id)) {
          this.target.cutTo(continued);
          this.target.commit({ id: continued.id, lines: [] });
        }
      }
    });
    this.process.tell('restored');
  }

  private prepared(lines: readonly string[], isLast: boolean): readonly Committable[] {
    if (this.kind === 'carried') return lines.length === 0 ? [] : [{ id: this.target.newId(this.process), lines }];
    if (this.continued === undefined && lines.length > 0) this.continued = { id: this.target.newId(this.process), length: 0 };
    if (this.continued === undefined) return [];
    const { id } = this.continued;
    this.target.keep(id, lines);
    this.continued.length += lines.length;
    if (this.kind === 'continued' && !isLast && ++this.prepares % 3 !== 0) return [];
    this.continued = undefined;
    return [{ id, lines: [] }];
  }

  private carefully<R>(effect: () => R): Promise<R> {
    const fails = this.failure();
    return this.process.outside(4, () => {
      if (fails === 'before') throw new Error('the target does not answer');
      const result = effect();
      if (fails === 'after') throw new Error('the target does not answer any more');
      return result;
    });
  }
}
