import { platform as hostPlatform } from '#platform';
import { MillraceError } from '../errors/millraceError.ts';
import { GraphBuilder, type OperatorOptions } from '../graph/builder.ts';
import { deadLetterSenders, withDeadLetters } from '../graph/deadLetters.ts';
import { createPlan, type Plan } from '../graph/plan.ts';
import { defineSink, type Rejected, type Sink, type Source } from '../operators/connector.ts';
import type { OperatorContext } from '../operators/operatorContext.ts';
import { LocalJob } from '../runtime/job.ts';
import { defaultRestart } from '../runtime/restart.ts';
import type { Logger } from '../operators/logger.ts';
import type { EventTime } from '../time/watermark.ts';
import { recoverySettings } from './checkpointOptions.ts';
import { consoleLogger } from './consoleLogger.ts';
import { DataStream } from './dataStream.ts';
import { hostDriver } from './hostDriver.ts';
import { KeyedStream } from './keyedStream.ts';
import { OperatorStream } from './operatorStream.ts';
import { StreamOrigin } from './origin.ts';
import { creditPolicy, type RunOptions } from './runOptions.ts';
import { stateSettings } from './stateOptions.ts';
import type { StreamFactory } from './streamFactory.ts';

/** Options of a source: those of every operator, and how its elements get their time. */
export interface SourceOptions<in T> extends OperatorOptions {
  readonly time?: EventTime<T>;
}

/** Where a job is built. In a script: `new StreamEnvironment()`. In a job: the argument of `build`. */
export class StreamEnvironment {
  /**
   * What the streams add to.
   *
   * @internal
   */
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

  /**
   * Begins a stream at a source. What its schema refuses goes to the side output `rejected`.
   *
   * @example
   * const env = new StreamEnvironment();
   * const payments = env.from(fromArray([{ cents: 300, at: 1_000 }]), { uid: 'payments', time: { timestamp: (p) => p.at, outOfOrder: { seconds: 30 } } });
   * console.log(await payments.collect()); // [ { cents: 300, at: 1000 } ]
   */
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

  /**
   * A stream that is fed from outside of the job, element by element: what a test harness drives.
   *
   * @example
   * const env = new StreamEnvironment();
   * env.input<number>('numbers').map((n) => n * 2).sinkTo(print());
   * console.log(env.plan().graph.nodes.map(({ kind }) => kind)); // [ 'input', 'map', 'sink' ]
   */
  input<T>(name: string): DataStream<T> {
    const behaviour = {
      operator: { create: (context: OperatorContext) => ({ inputs: [(value: unknown) => context.emit(value, context.time)] }) },
    };
    const node = this.builder.add({
      kind: 'input',
      edges: [],
      traits: { timestamped: true },
      options: { name, parallelism: 1 },
      behaviour,
    });
    return this.factory.data(new StreamOrigin(this.builder, this.factory, [{ from: node.id, output: null, exchange: 'forward' }]));
  }

  /**
   * Where the elements go, as {@link Rejected}, that the error policy `deadLetter` takes out of the job, and those that a source refuses
   * where nobody takes its side output `rejected`. `deadLetters` of the run options goes before it.
   *
   * @example
   * const env = new StreamEnvironment({ onError: 'deadLetter' });
   * env.from(fromArray(['1', 'x'])).map((text) => BigInt(text)).sinkTo(discard());
   * env.deadLetterTo(forEach(({ place, code, value }) => console.log(place, code, value)));
   * await env.execute('numbers'); // map#1 operator/failed x
   */
  deadLetterTo(sink: Sink<Rejected>): void {
    this.deadLetters = sink;
  }

  /**
   * The job as it would run.
   *
   * @throws MillraceError `graph/empty`, `graph/cycle`, `graph/no-timestamps`, `graph/unbounded`, `graph/option`
   * @example
   * const env = new StreamEnvironment();
   * env.from(fromArray([1]), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
   * console.log(explainText(env.plan()));
   * // mode streaming, 1 task, 128 key groups
   * //
   * // task 1 × 1
   * //   source [numbers] (connector: array)
   * //   sink [output] (connector: discard)
   */
  plan(options: RunOptions = {}): Plan {
    return this.compile(options).plan;
  }

  /**
   * The job as it would run, and what its nodes do: for tools that run jobs.
   *
   * @internal
   */
  compile(options: RunOptions = {}, whole: GraphBuilder = this.builder): { readonly plan: Plan; readonly builder: GraphBuilder } {
    const { mode = 'streaming', parallelism = 1, maxParallelism, onError = 'fail', deadLetters } = { ...this.defaults, ...options };
    const builder = withDeadLetters(whole, onError, deadLetters ?? this.deadLetters);
    const checkpointed = { ...this.defaults, ...options }.checkpoint !== undefined;
    return { plan: createPlan(builder.graph(), { mode, parallelism, maxParallelism, checkpointed }), builder };
  }

  /**
   * Runs the job to its end.
   *
   * @throws MillraceError as {@link plan} does, and what the job fails with; `job/canceled` when it is canceled.
   * @example
   * const env = new StreamEnvironment();
   * env.from(fromArray(['hello'])).sinkTo(print());
   * await env.execute('greeting'); // hello
   */
  async execute(name: string, options: RunOptions = {}): Promise<void> {
    const job = await this.start(name, options);
    await job.finished;
  }

  /**
   * Starts the job; resolves when it runs, with its handle.
   *
   * @throws MillraceError as {@link plan} does, and what a source, sink or operator fails to open with.
   * @example
   * const env = new StreamEnvironment();
   * env.from(generator({ rate: 100, create: (n) => n })).sinkTo(discard());
   * const job = await env.start('ticks');
   * console.log(job.status); // running
   * await job.stop();
   */
  async start(name: string, options: RunOptions = {}): Promise<LocalJob> {
    return this.launch(name, options, false);
  }

  private async launch(name: string, options: RunOptions, isEmptyTold: boolean, builder = this.builder): Promise<LocalJob> {
    const {
      onError = 'fail',
      logger = consoleLogger,
      seed = 0,
      signal,
      generateCode,
      platform = hostPlatform,
      ...rest
    } = { ...this.defaults, ...options };
    this.warnOfDeadLetters(name, deadLetterSenders(builder, onError), { logger, deadLetters: rest.deadLetters });
    const recovery = recoverySettings(rest);
    const restart = rest.restart ?? defaultRestart(recovery.checkpoint !== undefined);
    const credit = creditPolicy(rest);
    const state = stateSettings(rest.state, platform);
    const common = {
      name,
      credit,
      state,
      ...this.compile(options, builder),
      platform,
      logger,
      onError,
      seed,
      signal,
      generateCode,
      isEmptyTold,
    };
    const driver = await hostDriver(rest, { ...common, exactlyOnce: recovery.checkpoint?.exactlyOnce ?? true });
    const job = new LocalJob({ ...common, ...recovery, restart, driver });
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
    // Not a sink of the job's own: it keeps nothing, and so needs no uid of its own.
    // It goes to a copy of the job: what runs later must not gather into what this run has returned.
    const builder = this.builder.copy();
    const spec = { kind: 'sink', sink: gather.definition as never, options: undefined, details: { connector: 'collect' } };
    new StreamOrigin(builder, this.factory, origin.unkeyed().parts).append(spec);
    const job = await this.launch('collect', options, true, builder);
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

  /** Nothing is lost in silence: elements that have nowhere to go are counted, and the job says so. */
  private warnOfDeadLetters(job: string, senders: readonly string[], { logger, deadLetters = this.deadLetters }: DeadLetterPlaces): void {
    if (senders.length === 0 || deadLetters !== undefined) return;
    logger.warn(
      `onError is 'deadLetter', and the job "${job}" has no place for dead letters: such elements are only counted. ` +
        "Give it one: env.deadLetterTo(deadLetterFile('dead-letters.jsonl')), or --dead-letter FILE on the command line.",
      { operators: senders },
    );
  }
}

interface DeadLetterPlaces {
  readonly logger: Logger;
  readonly deadLetters: Sink<Rejected> | undefined;
}
