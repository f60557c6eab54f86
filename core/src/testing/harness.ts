import { DEFAULT_CREDIT } from '../runtime/creditWindow.ts';
import { DataStream } from '../api/dataStream.ts';
import { StreamEnvironment } from '../api/environment.ts';
import type { RunOptions } from '../api/runOptions.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { OperatorContext } from '../operators/operatorContext.ts';
import type { Channel } from '../runtime/channel.ts';
import { Scheduler } from '../runtime/scheduler.ts';
import { StateSpace } from '../runtime/stateSpace.ts';
import type { TaskSnapshot } from '../runtime/task.ts';
import { type TaskGraph, TaskGraphBuilder } from '../runtime/taskGraph.ts';
import { decodeSelfContained, encodeSelfContained } from '../state/selfContained.ts';
import { Workspace } from '../state/spill.ts';
import { NO_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import { ManualPlatform } from './manualPlatform.ts';

/** A pipeline's state as bytes: nothing of the process that took it lives on in it. */
export interface Snapshot {
  readonly bytes: Uint8Array;
}

/** Named streams in, named streams out. */
export type Pipeline<I, O> = (inputs: { readonly [N in keyof I]: DataStream<I[N]> }) => { readonly [N in keyof O]: DataStream<O[N]> };

/** An element that came out, with its timestamp. */
export interface Emission<out T> {
  readonly value: T;
  readonly timestamp: Timestamp | undefined;
}

/** Options of a harness. */
export interface HarnessOptions {
  readonly restore?: Snapshot;
  /** Where the processing-time clock starts, in ms. Default 0. */
  readonly startAt?: Timestamp;
  /** Options of the job: mode, parallelism, error policy. */
  readonly run?: Omit<RunOptions, 'platform' | 'signal'>;
}

/** Drives a pipeline synchronously with virtual time: when a method returns, everything that follows from it has happened. */
export interface Harness<I, O> {
  /** An element into an input, with its timestamp. Without one it has none. */
  push<N extends keyof I & string>(input: N, value: I[N], at?: Timestamp): this;
  /** A watermark into one input, or into all. */
  watermark(at: Timestamp, input?: keyof I & string): this;
  /** Says that an input is idle, or active again. */
  idle(input: keyof I & string, idle?: boolean): this;
  /** Moves the processing-time clock. */
  processingTime(at: Timestamp): this;
  /** Ends one input, or all. */
  end(input?: keyof I & string): this;
  /** The state, between two elements. */
  snapshot(): Snapshot;
  /** Takes what came out of an output since it was asked for last. */
  drain<N extends keyof O & string>(output: N): O[N][];
  /** Like `drain`, with timestamps. */
  drainTimed<N extends keyof O & string>(output: N): Emission<O[N]>[];
  /** Lets promises settle (`asyncMap`) and what follows from them happen. */
  settled(): Promise<void>;
}

/**
 * Builds a pipeline and drives it by hand. Inputs and outputs are named by the function that connects them.
 *
 * @throws MillraceError as `env.plan` does; `testing/contract` for an operator that opens asynchronously. Its methods throw what the pipeline does.
 * @example
 * const minutes = ({ clicks }: { clicks: DataStream<string> }) => ({
 *   counts: clicks.keyBy((page) => page).window(tumbling({ minutes: 1 })).aggregate({ n: count() }),
 * });
 * const h = harness(minutes).push('clicks', 'home', 1_000).push('clicks', 'home', 2_000).watermark(59_999);
 * console.log(h.drain('counts').map(({ key, value }) => `${key} ${value.n}`)); // [ 'home 2' ]
 */
export function harness<I extends object, O extends object>(pipeline: Pipeline<I, O>, options: HarnessOptions = {}): Harness<I, O> {
  return new PipelineHarness(pipeline, options);
}

class PipelineHarness<I extends object, O extends object> implements Harness<I, O> {
  private readonly platform = new ManualPlatform();
  private readonly outputs = new Map<string, Emission<unknown>[]>();
  private readonly inputs: ReadonlyMap<string, Channel>;
  private readonly graph: TaskGraph;
  private failure: { readonly error: unknown } | undefined;

  constructor(pipeline: Pipeline<I, O>, { restore, startAt = 0, run = {} }: HarnessOptions) {
    this.platform.clock.advanceTo(startAt);
    const env = new StreamEnvironment(run);
    const nodes = this.connect(env, pipeline);
    const { plan, builder } = env.compile();
    const scope = {
      builder,
      mode: plan.mode,
      maxParallelism: plan.maxParallelism,
      onError: run.onError ?? 'fail',
      seed: run.seed ?? 0,
      clock: this.platform.clock,
      logger: run.logger ?? SILENT,
      workspace: new Workspace(undefined, undefined),
      stateSpace: new StateSpace(undefined, this.platform),
      generateCode: run.generateCode,
      epoch: 0,
      credit: DEFAULT_CREDIT,
      lineage: '',
      exactlyOnce: true,
    } as const;
    this.graph = new TaskGraphBuilder(plan, scope, new Scheduler(this.platform), {
      onDrained: (task) => task.finish(),
      onSealed: () => undefined,
      onPartition: () => undefined,
      onCheckpoint: () => undefined,
      onCheckpointAborted: () => undefined,
      onFinished: () => undefined,
      onFailed: (_task, error) => (this.failure ??= { error }),
    }).build();
    this.inputs = new Map([...nodes].map(([name, node]) => [name, this.graph.inputs.get(node)!]));
    if (restore !== undefined) this.restore(restore);
    this.open();
    this.settle();
  }

  push(input: string, value: unknown, at: Timestamp = NO_TIMESTAMP): this {
    this.input(input).push({ kind: 'records', values: [value], timestamps: [at] });
    return this.settle();
  }

  watermark(at: Timestamp, input?: string): this {
    for (const channel of this.chosen(input)) channel.push({ kind: 'watermark', timestamp: at });
    return this.settle();
  }

  idle(input: string, idle = true): this {
    this.input(input).push({ kind: 'status', idle });
    return this.settle();
  }

  processingTime(at: Timestamp): this {
    this.platform.clock.advanceTo(at);
    return this.settle();
  }

  end(input?: string): this {
    for (const channel of this.chosen(input)) channel.push({ kind: 'end', drained: true });
    return this.settle();
  }

  snapshot(): Snapshot {
    return { bytes: encodeSelfContained(this.graph.tasks.map((task) => task.snapshot())) };
  }

  drain<N extends keyof O & string>(output: N): O[N][] {
    return this.drainTimed(output).map(({ value }) => value);
  }

  drainTimed<N extends keyof O & string>(output: N): Emission<O[N]>[] {
    const emissions = this.outputs.get(output);
    if (emissions === undefined) throw unknownName('output', output, this.outputs.keys());
    return emissions.splice(0) as Emission<O[N]>[];
  }

  async settled(): Promise<void> {
    // Each turn lets the promises that are ready run; operators answer through the platform's next turn.
    for (let turn = 0; turn < 10; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.settle();
    }
  }

  /** Inputs are made when the pipeline names them, so that no list of names has to be given. */
  private connect(env: StreamEnvironment, pipeline: Pipeline<I, O>): Map<string, number> {
    const nodes = new Map<string, number>();
    const streams = new Map<string, DataStream<unknown>>();
    const inputs = new Proxy({} as { [name: string]: DataStream<unknown> }, {
      get: (_, name: string) => {
        if (!streams.has(name)) {
          const stream = env.input(name);
          nodes.set(name, stream.origin.parts[0]!.from);
          streams.set(name, stream);
        }
        return streams.get(name);
      },
    });
    const outputs = pipeline(inputs as never) as unknown as Readonly<Record<string, DataStream<unknown>>>;
    for (const [name, stream] of Object.entries(outputs)) {
      const emissions: Emission<unknown>[] = [];
      this.outputs.set(name, emissions);
      const gather = (context: OperatorContext) => (value: unknown) => void emissions.push({ value, timestamp: context.timestamp });
      stream.origin.append({ kind: 'output', options: { name }, operator: { create: (context) => ({ inputs: [gather(context)] }) } });
    }
    return nodes;
  }

  private open(): void {
    for (const { instance } of this.graph.instances) {
      const opening = instance.operator.open?.();
      if (opening === undefined) continue;
      throw new MillraceError('testing/contract', 'A harness is synchronous, and this operator opens asynchronously.', {
        uid: instance.node.uid,
        remedy: 'Leave sinks out of the pipeline, or test the whole job with testJob.',
      });
    }
    for (const task of this.graph.tasks) task.chain.connect();
  }

  private restore({ bytes }: Snapshot): void {
    const snapshots = decodeSelfContained(bytes) as readonly TaskSnapshot[];
    this.graph.tasks.forEach((task, i) => task.restore(snapshots[i]!));
  }

  private settle(): this {
    for (const task of this.graph.tasks) if (!task.isOver) task.wake();
    this.platform.run();
    if (this.failure === undefined) return this;
    const { error } = this.failure;
    this.failure = undefined;
    throw error;
  }

  private input(name: string): Channel {
    const channel = this.inputs.get(name);
    if (channel === undefined) throw unknownName('input', name, this.inputs.keys());
    return channel;
  }

  private chosen(name: string | undefined): readonly Channel[] {
    return name === undefined ? [...this.inputs.values()] : [this.input(name)];
  }
}

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function unknownName(what: string, name: string, known: Iterable<string>): MillraceError {
  return new MillraceError('testing/contract', `There is no ${what} "${name}".`, {
    remedy: `The pipeline has: ${[...known].join(', ') || 'none'}.`,
  });
}
