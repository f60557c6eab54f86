import { StateSpace } from '../src/runtime/stateSpace.ts';
import { DEFAULT_CREDIT } from '../src/runtime/creditWindow.ts';
import type { DataStream } from '../src/index.ts';
import { StreamEnvironment } from '../src/index.ts';
import type { Element } from '../src/element/element.ts';
import { Scheduler } from '../src/runtime/scheduler.ts';
import type { SubtaskInstance } from '../src/runtime/subtaskBuilder.ts';
import type { TaskListener } from '../src/runtime/task.ts';
import { type TaskGraph, TaskGraphBuilder } from '../src/runtime/taskGraph.ts';
import { Workspace } from '../src/state/spill.ts';
import { ManualPlatform, type ManualClock } from '../src/testing.ts';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** What a harness does not show: the tasks of a job themselves, with their clock, checkpoints and operators, driven element by element. */
export class BareTasks {
  private readonly platform: ManualPlatform;
  private readonly nodes = new Map<string, number>();
  private readonly graph: TaskGraph;
  private failure: { readonly error: unknown } | undefined;

  constructor(
    build: (input: <T>(name: string) => DataStream<T>) => void,
    { clock, listener = {} }: { readonly clock?: ManualClock; readonly listener?: Partial<TaskListener> } = {},
  ) {
    this.platform = new ManualPlatform(clock);
    const env = new StreamEnvironment();
    build((name) => {
      const stream = env.input<never>(name);
      this.nodes.set(name, stream.origin.parts[0]!.from);
      return stream;
    });
    const { plan, builder } = env.compile();
    const scope = {
      builder,
      mode: plan.mode,
      maxParallelism: plan.maxParallelism,
      onError: 'fail',
      seed: 0,
      clock: this.platform.clock,
      logger: SILENT,
      workspace: new Workspace(undefined, undefined),
      epoch: 0,
      credit: DEFAULT_CREDIT,
      stateSpace: new StateSpace(undefined, this.platform),
      lineage: '',
      exactlyOnce: true,
    } as const;
    this.graph = new TaskGraphBuilder(plan, scope, new Scheduler(this.platform), {
      onDrained: () => undefined,
      onSealed: () => undefined,
      onPartition: () => undefined,
      onCheckpoint: () => undefined,
      onCheckpointAborted: () => undefined,
      onFinished: () => undefined,
      onFailed: (_task, error) => (this.failure ??= { error }),
      ...listener,
    }).build();
  }

  /** Opens all operators. `restore` is called before. */
  async open(): Promise<this> {
    for (const { instance } of this.graph.instances) await instance.operator.open?.();
    for (const task of this.graph.tasks) task.chain.connect();
    return this;
  }

  /** The first instance of a node. */
  instance(uid: string): SubtaskInstance {
    return this.graph.instances.find(({ instance }) => instance.node.uid === uid)!.instance;
  }

  /** An element into an input, and everything that follows from it without promises. */
  push(input: string, element: Element): void {
    this.graph.inputs.get(this.nodes.get(input)!)!.push(element);
    this.settle();
  }

  /** Moves the clock. */
  advanceTo(time: number): void {
    this.platform.clock.advanceTo(time);
    this.settle();
  }

  private settle(): void {
    for (const task of this.graph.tasks) if (!task.isOver) task.wake();
    this.platform.run();
    if (this.failure !== undefined) throw this.failure.error;
  }
}

export function record(value: unknown, timestamp: number = -Infinity): Element {
  return { kind: 'records', values: [value], timestamps: [timestamp] };
}
