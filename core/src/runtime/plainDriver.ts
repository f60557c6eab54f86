import { DEAD_LETTERS } from '../graph/deadLetters.ts';
import { NO_TIMESTAMP } from '../time/timestamp.ts';
import type { Emit } from '../operators/operatorContext.ts';
import type { Control } from './control.ts';
import { isPlaced, operatorFailure } from './failure.ts';
import type { Driver, Link, Target } from './link.ts';

/** The driver for places where code generation is forbidden: the same journey by plain calls. */
export function plainDriver(links: readonly Link[], control: Control): Driver {
  const deliver = (target: Target): Emit => (target.kind === 'writer' ? target.push : enterLink(links[target.link]!, target.input));
  const fork = (targets: readonly Target[]): Emit => {
    const [first, ...rest] = targets.map(deliver);
    if (first === undefined) return () => undefined;
    if (rest.length === 0) return first;
    const all = [first, ...rest];
    return (value, timestamp) => {
      for (const push of all) push(value, timestamp);
    };
  };
  const emits = links.map((link): Emit => {
    const push = fork(link.targets);
    const { metrics } = link.context;
    return (value, timestamp) => {
      metrics.sent++;
      push(value, timestamp);
    };
  });
  connectSides(links, fork);
  const head = links[0]!;
  const run = head.operator.inputs.map((_, input) => {
    const push = enterLink(head, input);
    return (values: readonly unknown[], timestamps: readonly number[] | null, from: number, to: number): number => {
      for (let i = from; i < to; i++) {
        push(values[i], timestamps === null ? NO_TIMESTAMP : timestamps[i]!);
        if (control.interrupt) return i + 1;
      }
      return to;
    };
  });
  return { run, emits };
}

/** Gives contexts their side outputs. */
function connectSides(links: readonly Link[], fork: (targets: readonly Target[]) => Emit): void {
  for (const { context, sides } of links) {
    for (const [name, targets] of sides) {
      const push = fork(targets);
      // A dead letter is no result: it is counted as rejected.
      const result = name === DEAD_LETTERS ? 0 : 1;
      context.sides.set(name, (value, timestamp) => {
        context.metrics.sent += result;
        push(value, timestamp);
      });
    }
  }
}

/** Delivers one element to an operator: time, key, handler, and the error policy around them. */
function enterLink(link: Link, input: number): Emit {
  const { context, operator, policy, reject, uid } = link;
  const handler = operator.inputs[input]! as (value: unknown) => void;
  const key = link.keys[input] as ((value: unknown) => string) | undefined;
  const { backend, metrics } = context.subtask;
  return (value, timestamp) => {
    try {
      metrics.received++;
      context.time = timestamp;
      if (key !== undefined) backend.enter(key(value));
      handler(value);
    } catch (error) {
      if (policy === 'fail' || isPlaced(error)) throw operatorFailure(error, uid);
      reject(error, value, timestamp);
    }
  };
}
