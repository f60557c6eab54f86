import { DEAD_LETTERS } from '../graph/deadLetters.ts';
import type { Emit } from '../operators/operatorContext.ts';
import type { Control } from './control.ts';
import { DriverWriter, mainCount, sideCount } from './driverCode.ts';
import { operatorFailure } from './failure.ts';
import type { Driver, Link, Target } from './link.ts';
import { plainDriver } from './plainDriver.ts';

/** Makes the driver of a chain: generated code where the host allows it, plain calls where it does not. */
export function createDriver(links: readonly Link[], control: Control, generate: boolean = canGenerate()): Driver {
  const driver = generate ? generatedDriver(links, control) : plainDriver(links, control);
  for (const [i, link] of links.entries()) link.context.emit = driver.emits[i] ?? link.context.emit;
  return driver;
}

function generatedDriver(links: readonly Link[], control: Control): Driver {
  const code = new DriverWriter(links).write();
  const taken = new Float64Array(1);
  const counts = new Float64Array(code.counts.size);
  const fail = (error: unknown, at: number): unknown => operatorFailure(error, links[at]!.uid);
  // oxlint-disable-next-line typescript/no-implied-eval -- the one place where drivers are compiled; the text holds no user input but JSON strings
  const build = new Function('control', 'fail', 'taken', 'counts', ...code.names, code.text) as (...values: unknown[]) => Driver & {
    readonly sides: readonly (readonly Emit[])[];
  };
  const driver = build(control, fail, taken, counts, ...code.values);
  const count = (name: string): number => counts[code.counts.get(name) ?? -1] ?? 0;
  for (const [i, { context, sides }] of links.entries()) {
    [...sides.keys()].forEach((name, side) => context.sides.set(name, driver.sides[i]![side]!));
    const incoming = i === 0 ? [] : countsInto(links, i);
    // A dead letter is no result: it is counted as rejected.
    const outgoing = [mainCount(i), ...[...sides.keys()].flatMap((name, side) => (name === DEAD_LETTERS ? [] : [sideCount(i, side)]))];
    context.metrics.countFrom(() => ({ received: i === 0 ? taken[0]! : total(incoming, count), sent: total(outgoing, count) }));
  }
  return driver;
}

/** What a link received is what was sent on the outputs that lead to it: only the head's elements are counted apart. */
function countsInto(links: readonly Link[], into: number): string[] {
  const leads = (targets: readonly Target[]): boolean => targets.some((target) => target.kind === 'link' && target.link === into);
  return links.flatMap(({ targets, sides }, from) => [
    ...(leads(targets) ? [mainCount(from)] : []),
    ...[...sides.values()].flatMap((each, side) => (leads(each) ? [sideCount(from, side)] : [])),
  ]);
}

function total(names: readonly string[], count: (name: string) => number): number {
  return names.reduce((sum, name) => sum + count(name), 0);
}

let allowed: boolean | undefined;

/** Whether the host lets text become code: a content security policy, or Node's `--disallow-code-generation-from-strings`, may not. */
function canGenerate(): boolean {
  if (allowed === undefined) {
    try {
      // oxlint-disable-next-line typescript/no-implied-eval -- a probe
      allowed = (new Function('return true') as () => boolean)();
    } catch {
      allowed = false;
    }
  }
  return allowed;
}
