import type { DataStream } from '../src/index.ts';
import { BareTasks, record } from './bareTasks.ts';
import type { Kind } from './outcome.ts';
import type { Case, Step } from './table.ts';

interface AlignmentCase extends Case {
  readonly input: readonly Step[];
  readonly expect: { readonly completed: readonly number[]; readonly aborted?: readonly number[] };
}

/** `barrierAlignment`: a task that reads several channels. What comes by a blocked channel waits in it. */
export const barrierAlignment: Kind<AlignmentCase> = async ({ config, input, expect }) => {
  const aligning = await new AligningTask(Number(config['channels'])).open();
  const blocked: unknown[] = [];
  const wanted: unknown[] = [];
  for (const [step, ...args] of input) {
    if (step !== 'assertBlocked') aligning.take(step, args as readonly number[]);
    else
      for (const [channel, isBlocked] of blockedOf(args)) {
        wanted.push([channel, isBlocked]);
        blocked.push([channel, aligning.isBlocked(channel)]);
      }
  }
  const { completed, aborted } = aligning;
  return {
    expected: { completed: expect.completed, aborted: expect.aborted ?? [], blocked: wanted },
    actual: { completed, aborted, blocked },
  };
};

/** Which channels are meant: one, which may be said not to be blocked; a list of them; or a truth value for each. */
function blockedOf([channels, isBlocked = true]: readonly unknown[]): readonly (readonly [channel: number, isBlocked: boolean])[] {
  if (!Array.isArray(channels)) return [[Number(channels), isBlocked === true]];
  return (channels as readonly (number | boolean)[]).map((each, i) => (typeof each === 'boolean' ? [i, each] : [each, true]));
}

/** A task with several channels, as a union of inputs makes it. */
class AligningTask {
  readonly completed: number[] = [];
  readonly aborted: number[] = [];
  private readonly tasks: BareTasks;
  private readonly channels: readonly string[];
  private readonly seen = new Set<unknown>();

  constructor(channels: number) {
    this.channels = Array.from({ length: channels }, (_, i) => `channel ${i}`);
    this.tasks = new BareTasks(
      (from) => {
        const [first, ...others] = this.channels.map((channel) => from<object>(channel)) as [DataStream<object>, ...DataStream<object>[]];
        const union = others.length === 0 ? first.rebalance() : first.union(...others);
        union.map((value) => void this.seen.add(value), { uid: 'aligning', chain: 'start' });
      },
      {
        listener: {
          onCheckpoint: (task, { checkpoint }) => {
            if (task.name.startsWith('aligning ')) this.completed.push(checkpoint);
          },
          onCheckpointAborted: (_task, checkpoint) => void this.aborted.push(checkpoint),
        },
      },
    );
  }

  async open(): Promise<this> {
    await this.tasks.open();
    return this;
  }

  take(step: string, args: readonly number[]): void {
    const [first = 0, second = 0] = args;
    if (step === 'data') this.tasks.push(this.channels[first]!, record({}));
    else if (step === 'barrier')
      this.tasks.push(this.channels[second]!, { kind: 'barrier', checkpoint: first, savepoint: false, last: false });
    else if (step === 'end') this.tasks.push(this.channels[first]!, { kind: 'end', drained: true });
    else throw new Error(`There is no step "${step}".`);
  }

  /** Whether an element that comes by a channel has to wait. */
  isBlocked(channel: number): boolean {
    const probe = {};
    this.tasks.push(this.channels[channel]!, record(probe));
    return !this.seen.has(probe);
  }
}
