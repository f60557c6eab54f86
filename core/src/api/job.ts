import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MillraceError } from '../errors/millraceError.ts';
import { explainText } from '../graph/explain.ts';
import type { LocalJob } from '../runtime/job.ts';
import { compileSchema, describeIssues } from '../schema/standard.ts';
import { StreamEnvironment } from './environment.ts';
import type { RunOptions } from './runOptions.ts';

/** A job as its author writes it. */
export interface JobDefinition<C> {
  readonly name: string;
  /** `import.meta`: where the module is, so that a worker can import it. */
  readonly module?: ImportMeta;
  /** What the job can be told. On the command line each of its fields becomes a flag. */
  readonly config?: StandardSchemaV1<unknown, C>;
  /** Builds the graph. Must do nothing else: it runs again wherever a part of the job does. */
  build(env: StreamEnvironment, config: C): void;
}

/** A job is a value: importing its module runs nothing, so every worker can import it. */
export interface JobModule<C> {
  readonly definition: JobDefinition<C>;
  readonly name: string;
  /** Runs the job to its end. */
  run(config: C, options?: RunOptions): Promise<void>;
  /** Starts the job; resolves when it runs, with its handle. */
  start(config: C, options?: RunOptions): Promise<LocalJob>;
  /** The plan as text: chains, exchanges, uids, operators chosen. */
  explain(config: C, options?: RunOptions): string;
  /** Builds the job without running it. */
  build(config: C, options?: RunOptions): StreamEnvironment;
  /** Checks a configuration that came from outside, such as flags. */
  parseConfig(config: unknown): C;
}

/**
 * Defines a job: `export default defineJob({ … })` in a module of its own, which `npx millrace run` runs; each field of `config` is a flag there.
 *
 * @example
 * const job = defineJob({
 *   name: 'count',
 *   config: z.object({ to: z.number().default(3) }),
 *   build: (env, { to }) => env.from(generator({ count: to, create: (i) => i + 1 })).sinkTo(print()),
 * });
 * await job.run(job.parseConfig({ to: 2 }));
 * // 1
 * // 2
 */
export function defineJob<C = void>(definition: JobDefinition<C>): JobModule<C> {
  const { name } = definition;
  const build = (config: C, options?: RunOptions): StreamEnvironment => {
    const env = new StreamEnvironment(options);
    definition.build(env, config);
    return env;
  };
  const withProgram = (config: C, options: RunOptions = {}): RunOptions =>
    definition.module === undefined ? options : { program: { module: definition.module.url, config }, ...options };
  return {
    definition,
    name,
    build,
    run: async (config, options) => build(config, withProgram(config, options)).execute(name),
    start: async (config, options) => build(config, withProgram(config, options)).start(name),
    explain: (config, options) => explainText(build(config, options).plan()),
    parseConfig: (config) => parseConfig(definition, config),
  };
}

function parseConfig<C>({ name, config: schema }: JobDefinition<C>, config: unknown): C {
  if (schema === undefined) return config as C;
  const result = compileSchema(schema)(config);
  if (result.issues === undefined) return result.value;
  throw new MillraceError('config/invalid', `The configuration of "${name}" is refused: ${describeIssues(result.issues)}.`, {
    remedy: 'Mend these fields; `millrace run MODULE -- --help` lists them all.',
  });
}
