import type { StateShape } from '../state/descriptor.ts';
import type { TimerShape } from '../state/keyedTimers.ts';
import type { CodeSite } from './codeSite.ts';
import { emitAll, type Emits } from './emits.ts';
import type { OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';
import type { OutputShape } from './outputs.ts';

/** What a process function declares beside its handlers. */
export interface Declarations {
  readonly state?: StateShape | undefined;
  readonly timers?: TimerShape | undefined;
  readonly outputs?: OutputShape | undefined;
}

/** A process function's handlers, erased of their types: one per input, and one for timers. */
export interface ProcessHandlers {
  readonly elements: readonly ((value: never, context: never) => Emits)[];
  readonly timer: ((timer: never, context: never) => Emits) | undefined;
}

/** Runs a process function: handlers over state, timers and outputs that it declares. */
export function processOperator(handlers: ProcessHandlers, declared: Declarations): OperatorDefinition {
  return {
    state: declared.state,
    timers: declared.timers,
    outputs: Object.keys(declared.outputs ?? {}),
    create: (context) => ({
      inputs: handlers.elements.map((handler) => (value: never) => emitAll(context, handler(value, context as never))),
      inline: (site, input) => writeHandler(site, context, handlers.elements[input]!),
      ...(handlers.timer !== undefined && { onTimer: () => fire(context, handlers.timer!) }),
    }),
  };
}

function writeHandler(site: CodeSite, context: OperatorContext, handler: unknown): void {
  site.enterKey();
  const bound = site.bind(context, 'context');
  site.statement(`${bound}.time = ${site.timestamp};`);
  site.emitEach(site.evaluate(`${site.bind(handler, 'handler')}(${site.value}, ${bound})`));
}

function fire(context: OperatorContext, handler: (timer: never, context: never) => Emits): void {
  const { keyedTimers } = context.subtask;
  const timer = { name: keyedTimers.dueName, at: keyedTimers.dueTime };
  emitAll(context, handler(timer as never, context as never));
}
