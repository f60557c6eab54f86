import { defineSink, type Operator, type Sink } from '../src/index.ts';
import type { OperatorStateEntry } from '../src/state/operatorState.ts';
import { BareTasks, record } from './bareTasks.ts';
import { type Kind, multiset } from './outcome.ts';
import type { Case, Step } from './table.ts';

/** A target with transactions: what is in one is seen by nobody until it is committed, once. */
class Target {
  readonly committed: string[] = [];
  private readonly open = new Map<number, readonly string[]>();
  private last = 0;

  get openTransactions(): number {
    return this.open.size;
  }

  /** A sink of which each checkpoint is a transaction. */
  sink(): Sink<string> {
    return defineSink<string, number>({
      name: 'target',
      open: () => {
        let current = this.begin();
        const commit = async (transactions: readonly number[]): Promise<void> => {
          for (const transaction of transactions) {
            this.committed.push(...(this.open.get(transaction) ?? []));
            this.open.delete(transaction);
          }
        };
        return {
          write: (values) => void this.open.set(current, [...this.open.get(current)!, ...values]),
          prepare: async () => {
            const prepared = current;
            current = this.begin();
            return [prepared];
          },
          commit,
          recover: async (transactions) => {
            await commit(transactions);
            for (const transaction of this.open.keys()) if (transaction !== current) this.open.delete(transaction);
          },
          // What was never asked to be prepared is nobody's; what was, the next run decides on.
          close: async () => void this.open.delete(current),
        };
      },
    });
  }

  private begin(): number {
    this.open.set(++this.last, []);
    return this.last;
  }
}

interface TwoPhaseCase extends Case {
  readonly input: readonly Step[];
  readonly expect: { readonly committed: readonly string[]; readonly openTransactionsAfterClose?: number };
}

/** `twoPhaseCommit`: a sink with transactions, driven checkpoint by checkpoint, and closed at the end as after a failure. */
export const twoPhaseCommit: Kind<TwoPhaseCase> = async ({ input, expect }) => {
  const target = new Target();
  const snapshots = new Map<number, readonly OperatorStateEntry[]>();
  let run: SinkRun | undefined = await SinkRun.begin(target);
  for (const [step, argument] of input) {
    if (step === 'crash' || step === 'restoreFrom') {
      await run?.close();
      run = step === 'crash' ? undefined : await SinkRun.begin(target, snapshotOf(snapshots, Number(argument)));
    } else if (run === undefined) throw new Error(`"${step}" after a crash.`);
    else await take(run, step, argument, snapshots);
  }
  await run?.close();
  const { committed, openTransactions } = target;
  return {
    expected: { ...expect, committed: multiset(expect.committed) },
    actual: {
      committed: multiset(committed),
      ...(expect.openTransactionsAfterClose !== undefined && { openTransactionsAfterClose: openTransactions }),
    },
  };
};

async function take(run: SinkRun, step: string, argument: unknown, snapshots: Map<number, readonly OperatorStateEntry[]>): Promise<void> {
  if (step === 'el') run.write(String(argument));
  else if (step === 'snapshot') snapshots.set(Number(argument), await run.snapshot(Number(argument)));
  else if (step === 'notify') await run.complete(Number(argument));
  else throw new Error(`There is no step "${step}".`);
}

function snapshotOf(snapshots: ReadonlyMap<number, readonly OperatorStateEntry[]>, checkpoint: number): readonly OperatorStateEntry[] {
  const snapshot = snapshots.get(checkpoint);
  if (snapshot === undefined) throw new Error(`There is no snapshot ${checkpoint}.`);
  return snapshot;
}

/** One run of a sink, from its opening to its end. */
class SinkRun {
  private readonly tasks: BareTasks;

  private constructor(target: Target) {
    this.tasks = new BareTasks((from) => from<string>('values').sinkTo(target.sink(), { uid: 'sink' }));
  }

  /** `state`: of the snapshot to go on from. */
  static async begin(target: Target, state?: readonly OperatorStateEntry[]): Promise<SinkRun> {
    const run = new SinkRun(target);
    for (const entry of state ?? []) run.operator.restoreOperatorEntry?.(entry);
    await run.tasks.open();
    return run;
  }

  write(value: string): void {
    this.tasks.push('values', record(value));
  }

  async snapshot(checkpoint: number): Promise<readonly OperatorStateEntry[]> {
    await this.operator.prepareBarrier?.(checkpoint, false);
    return structuredClone([...(this.operator.operatorEntries?.() ?? [])]);
  }

  async complete(checkpoint: number): Promise<void> {
    await this.operator.onCheckpointComplete?.(checkpoint);
  }

  async close(): Promise<void> {
    await this.operator.close?.(new Error('The run ends here.'));
  }

  private get operator(): Operator {
    return this.tasks.instance('sink').operator;
  }
}
