import { platform as hostPlatform } from '#platform';
import { MillraceError } from '../errors/millraceError.ts';
import { GraphBuilder, type OperatorOptions } from '../graph/builder.ts';
import { withDeadLetters } from '../graph/deadLetters.ts';
import { createPlan, type Plan } from '../graph/plan.ts';
import { defineSink, type Rejected, type Sink, type Source } from '../operators/connector.ts';
import type { OperatorContext } from '../operators/operatorContext.ts';
import { LocalJob } from '../runtime/job.ts';
import type { EventTime } from '../time/watermark.ts';
import { consoleLogger } from './consoleLogger.ts';
import { DataStream } from './dataStream.ts';
import { KeyedStream } from './keyedStream.ts';
import { OperatorStream } from './operatorStream.ts';
import { StreamOrigin } from './origin.ts';
import type { RunOptions } from './runOptions.ts';
import type { StreamFactory } from './streamFactory.ts';

/** Options of a source: those of every operator, and how its elements get their time. */
export interface SourceOptions<in T> extends OperatorOptions {
  readonly time?: EventTime<T>;
}

/** Where a job is built. In a script: `new StreamEnvironment()`. In a job: the argument of `build`. */
export class StreamEnvironment {
  readonly builder: GraphBuilder = new GraphBuilder();
  private readonly defaults: RunOptions;
  private deadLetters: Sink<Rejected> | undefined;
  private readonly factory: StreamFactory = {
    data: (origin) => new DataStream(origin),
    operator: (origin) => new OperatorStream(origin),
    keyed: (origin) => new KeyedStream(origin),
    collect: (origin, options) => this.collect(origin, options),
  };

  constructor(options: RunOptions = {}) {
    this.defaults = options;
  }

  /** Begins a stream at a source. What its schema refuses goes to the side output `rejected`. */
  from<T>(source: Source<T>, options: SourceOptions<T> = {}): OperatorStream<T, { rejected: Rejected }> {
    const { time } = options;
    const definition = source.definition as never;
    const node = this.builder.add({
      kind: 'source',
      edges: [],
      outputs: ['rejected'],
      traits: { bounded: source.bounded, stateful: true, timestamped: time !== undefined },
      details: { connector: source.definition.name },
      options,
      behaviour: { source: { definition, time: time as EventTime<unknown> | undefined } },
    });
    return this.factory.operator(new StreamOrigin(this.builder, this.factory, [{ from: node.id, output: null, exchange: 'forward' }]));
  }

  /** A stream that is fed from outside of the job, element by element: what a test harness drives. */
  input<T>(name: string): DataStream<T> {
    const behaviour = {
      operator: { create: (context: OperatorContext) => ({ inputs: [(value: unknown) => context.emit(value, context.time)] }) },
    };
    const node = this.builder.add({ kind: 'input', edges: [], traits: { timestamped: true }, options: { name }, behaviour });
    return this.factory.data(new StreamOrigin(this.builder, this.factory, [{ from: node.id, output: null, exchange: 'forward' }]));
  }

  /**
   * Where the elements go, as {@link Rejected}, that the error policy `deadLetter` takes out of the job, and those that a source refuses
   * where nobody takes its side output `rejected`. `deadLetters` of the run options goes before it.
   *
   * @example
   * const env = new StreamEnvironment({ onError: 'deadLetter' });
   * env.deadLetterTo(jsonLinesSink('dead-letters.jsonl'));
   */
  deadLetterTo(sink: Sink<Rejected>): void {
    this.deadLetters = sink;
  }

  /** The job as it would run. */
  plan(options: RunOptions = {}): Plan {
    return this.compile(options).plan;
  }

  /** The job as it would run, and what its nodes do. */
  compile(options: RunOptions = {}): { readonly plan: Plan; readonly builder: GraphBuilder } {
    const { mode = 'streaming', parallelism = 1, maxParallelism, onError = 'fail', deadLetters } = { ...this.defaults, ...options };
    const builder = withDeadLetters(this.builder, onError, deadLetters ?? this.deadLetters);
    return { plan: createPlan(builder.graph(), { mode, parallelism, maxParallelism }), builder };
  }

  /** Runs the job to its end. */
  async execute(name: string, options: RunOptions = {}): Promise<void> {
    const job = await this.start(name, options);
    await job.finished;
  }

  /** Starts the job; resolves when it runs. */
  async start(name: string, options: RunOptions = {}): Promise<LocalJob> {
    return this.launch(name, options, false);
  }

  private async launch(name: string, options: RunOptions, isEmptyTold: boolean): Promise<LocalJob> {
    const { onError = 'fail', logger = consoleLogger, seed = 0, signal, generateCode, platform = hostPlatform } = { ...this.defaults, ...options };
    const job = new LocalJob({ name, ...this.compile(options), platform, logger, onError, seed, signal, generateCode, isEmptyTold });
    await job.start();
    return job;
  }

  private async collect<T>(origin: StreamOrigin, { limit = Infinity, ...options }: RunOptions & { readonly limit?: number }): Promise<T[]> {
    const collected: T[] = [];
    if (limit === 0) return collected;
    this.checkEnds(limit);
    const enough = new AbortController();
    const gather: Sink<T> = defineSink<T>({
      name: 'collect',
      open: () => ({
        write: () => undefined,
        writeOne(value) {
          if (collected.length < limit) collected.push(value);
          if (collected.length >= limit) enough.abort();
        },
        prepare: async () => [],
        commit: async () => undefined,
      }),
    });
    this.factory.data<T>(origin).sinkTo(gather);
    const job = await this.launch('collect', options, true);
    enough.signal.addEventListener('abort', () => void job.stop());
    await job.finished;
    return collected;
  }

  /** Without a limit an unbounded source would be collected for ever. */
  private checkEnds(limit: number): void {
    const endless = this.builder.graph().nodes.find(({ kind, traits }) => kind === 'source' && traits.bounded !== true);
    if (limit !== Infinity || endless === undefined) return;
    throw new MillraceError('graph/unbounded', 'This source never ends, and so would collect().', {
      uid: endless.uid,
      remedy: 'Say how many elements are wanted: collect({ limit: 100 }).',
    });
  }
}
