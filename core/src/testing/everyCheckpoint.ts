import { MillraceError } from '../errors/millraceError.ts';
import { ByteWriter } from '../state/byteWriter.ts';
import { ValueCodec } from '../state/valueCodec.ts';
import { type Emission, type Harness, harness, type HarnessOptions, type Pipeline } from './harness.ts';

/** What came out of each output, with a step of the script per entry. */
type Trace = Map<string, Emission<unknown>[][]>;

/**
 * Replays `script` straight through, and then once per step with snapshot, restore and continue after that step. What comes out of
 * each step must agree, up to the order between elements of one step (different keys have no order). Returns the outputs.
 *
 * @throws MillraceError `testing/contract` naming the step after which the restored run differs, with both outputs.
 * @example
 * const counts = ({ words }: { words: DataStream<string> }) => ({ counts: words.keyBy((word) => word).sum(() => 1) });
 * const outputs = everyCheckpoint(counts, (h) => h.push('words', 'tea', 1).push('words', 'tea', 2).end());
 * console.log(outputs.counts.map(({ value }) => value)); // [ 1, 2 ]
 */
export function everyCheckpoint<I extends object, O extends object>(
  pipeline: Pipeline<I, O>,
  script: (h: Harness<I, O>) => unknown,
  options: HarnessOptions = {},
): { readonly [N in keyof O]: readonly O[N][] } {
  const expected = new Replay(pipeline, options, Infinity).run(script);
  for (let step = 0; step < expected.steps; step++) {
    const actual = new Replay(pipeline, options, step).run(script);
    compare(expected.trace, actual.trace, step);
  }
  const outputs = [...expected.trace].map(([name, steps]) => [name, steps.flat().map(({ value }) => value)]);
  return Object.fromEntries(outputs) as { readonly [N in keyof O]: readonly O[N][] };
}

const STEPS = new Set(['push', 'watermark', 'idle', 'processingTime', 'end']);

/** One run of the script over a harness that is replaced by a restored one after a given step. */
class Replay<I extends object, O extends object> {
  private readonly pipeline: Pipeline<I, O>;
  private readonly options: HarnessOptions;
  private readonly restoreAfter: number;
  private readonly trace: Trace = new Map();
  private current: Harness<I, O>;
  private steps = 0;
  private now: number;
  private outputs: readonly string[] = [];

  constructor(pipeline: Pipeline<I, O>, options: HarnessOptions, restoreAfter: number) {
    this.options = options;
    this.restoreAfter = restoreAfter;
    this.now = options.startAt ?? 0;
    this.pipeline = (inputs) => {
      const connected = pipeline(inputs);
      this.outputs = Object.keys(connected);
      return connected;
    };
    this.current = harness(this.pipeline, options);
  }

  run(script: (h: Harness<I, O>) => unknown): { readonly trace: Trace; readonly steps: number } {
    const recorder: Harness<I, O> = new Proxy({} as Harness<I, O>, {
      get: (_, name: string) => {
        if (!STEPS.has(name))
          throw new MillraceError('testing/contract', `"${name}" in a script.`, {
            remedy: `A script has steps only: ${[...STEPS].join(', ')}.`,
          });
        return (...args: unknown[]) => {
          (this.current as unknown as Record<string, (...args: unknown[]) => void>)[name]!(...args);
          if (name === 'processingTime') this.now = args[0] as number;
          this.afterStep();
          return recorder;
        };
      },
    });
    script(recorder);
    return { trace: this.trace, steps: this.steps };
  }

  private afterStep(): void {
    for (const name of this.outputs) {
      const steps = this.trace.get(name) ?? [];
      steps.push(this.current.drainTimed(name as keyof O & string));
      this.trace.set(name, steps);
    }
    if (this.steps++ !== this.restoreAfter) return;
    this.current = harness(this.pipeline, { ...this.options, startAt: this.now, restore: this.current.snapshot() });
  }
}

function compare(expected: Trace, actual: Trace, restoredAfter: number): void {
  for (const [name, steps] of expected) {
    for (const [step, emissions] of steps.entries()) {
      const other = actual.get(name)![step] ?? [];
      if (canonical(emissions) === canonical(other)) continue;
      throw new MillraceError(
        'testing/contract',
        `Restored after step ${restoredAfter}, output "${name}" gives at step ${step} ${JSON.stringify(other)} instead of ${JSON.stringify(emissions)}.`,
        { remedy: 'Keep in declared state whatever outlives one call of a handler.' },
      );
    }
  }
}

/** A multiset of emissions as text. */
function canonical(emissions: readonly Emission<unknown>[]): string {
  return emissions
    .map((emission) => {
      const writer = new ByteWriter();
      const codec = new ValueCodec();
      codec.write(emission, writer);
      return `${JSON.stringify(codec.shapes())}${writer.take().join(',')}`;
    })
    .sort()
    .join('\n');
}
