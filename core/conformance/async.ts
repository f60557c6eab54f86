import type { DataStream } from '../src/index.ts';
import { harness } from '../src/testing.ts';
import type { Kind } from './outcome.ts';
import { recorded } from './recorded.ts';
import type { Case, Step } from './table.ts';
import { elementTimeOf, sameTime, timeOf, writeTime } from './times.ts';

interface AsyncCase extends Case {
  readonly input: { readonly arrivals: readonly Step[]; readonly completions: readonly string[] };
  readonly expect: { readonly output: readonly (string | Step)[] };
}

/** `asyncWait`: everything arrives, then calls complete one by one. The order of output is exact. */
export const asyncWait: Kind<AsyncCase> = async ({ config, input, expect }) => {
  const calls = new Map<string, (() => void)[]>();
  const run = (value: string): Promise<string> =>
    new Promise((resolve) => {
      calls.set(value, [...(calls.get(value) ?? []), () => resolve(value)]);
    });
  const order = config['mode'] === 'unordered' ? 'completion' : 'input';
  const h = harness((inputs: { elements: DataStream<string> }) => ({
    output: inputs.elements.asyncMap({ run, order }).transform<unknown>(recorded((value: string) => value)),
  }));
  for (const [step, value, at = null] of input.arrivals) {
    if (step === 'el') h.push('elements', String(value), elementTimeOf(at));
    else if (step === 'wm') h.watermark(timeOf(value));
    else throw new Error(`There is no step "${step}".`);
  }
  for (const value of input.completions) {
    const complete = calls.get(value)?.shift();
    if (complete === undefined) throw new Error(`No call of "${value}" is under way.`);
    complete();
    await h.settled();
  }
  const written = (each: unknown, write: (at: unknown) => unknown): unknown => (Array.isArray(each) ? [each[0], write(each[1])] : each);
  return {
    expected: { output: expect.output.map((each) => written(each, sameTime)) },
    actual: { output: h.drain('output').map((each) => written(each, (at) => writeTime(at as number))) },
  };
};
