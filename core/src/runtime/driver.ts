import type { Emit } from '../operators/operatorContext.ts';
import type { Control } from './control.ts';
import { DriverWriter } from './driverCode.ts';
import { operatorFailure } from './failure.ts';
import type { Driver, Link, Target } from './link.ts';
import { connectSides, enterLink, plainDriver } from './plainDriver.ts';

/** Makes the driver of a chain: generated code where the host allows it, plain calls where it does not. */
export function createDriver(links: readonly Link[], control: Control, generate: boolean = canGenerate()): Driver {
  const driver = generate ? generatedDriver(links, control) : plainDriver(links, control);
  for (const [i, link] of links.entries()) link.context.emit = driver.emits[i] ?? link.context.emit;
  return driver;
}

function generatedDriver(links: readonly Link[], control: Control): Driver {
  const code = new DriverWriter(links).write();
  // What a link received over a main output is what its producer sent: only the head's elements are counted apart.
  const taken = new Float64Array(1);
  const outputs = new Float64Array(links.length);
  const producers = links.map((_, i) =>
    links.findIndex(({ targets }) => targets.some((target) => target.kind === 'link' && target.link === i)),
  );
  links.forEach((link, i) => {
    const producer = producers[i]!;
    const received = (): number => (i === 0 ? taken[0]! : producer < 0 ? 0 : outputs[producer]!);
    link.context.metrics.countFrom(() => ({ received: received(), sent: outputs[i]! }));
  });
  const fail = (error: unknown, at: number): unknown => operatorFailure(error, links[at]!.uid);
  // oxlint-disable-next-line typescript/no-implied-eval -- the one place where drivers are compiled; the text holds no user input but JSON strings
  const build = new Function('control', 'fail', 'taken', 'outputs', ...code.names, code.text) as (...values: unknown[]) => Driver;
  connectSides(links, (targets) => sideEmit(links, targets));
  return build(control, fail, taken, outputs, ...code.values);
}

/** Side outputs are off the hot path: plain calls. */
function sideEmit(links: readonly Link[], targets: readonly Target[]): Emit {
  const pushes = targets.map((target) => (target.kind === 'writer' ? target.push : enterLink(links[target.link]!, target.input)));
  return (value, timestamp) => {
    for (const push of pushes) push(value, timestamp);
  };
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
