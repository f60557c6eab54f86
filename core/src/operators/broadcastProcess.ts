import { MillraceError } from '../errors/millraceError.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { Key } from '../state/key.ts';
import { MemoryBackend } from '../state/memoryBackend.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { readOnly } from '../state/readOnly.ts';
import type { Clock } from '../time/clock.ts';
import type { Emits } from './emits.ts';
import { type Declarations, type ProcessHandlers, processOperator } from './keyedProcess.ts';
import type { OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** What a process function over a broadcast input declares. */
export interface BroadcastDeclarations extends Declarations {
  readonly broadcast: StateShape;
}

/**
 * Runs a process function over a stream and a broadcast one. Of the handlers for elements the first is the stream's and reads
 * the broadcast state; the second is for the broadcast elements, which every subtask gets, and writes it.
 */
export function broadcastProcessOperator(handlers: ProcessHandlers, declared: BroadcastDeclarations): OperatorDefinition {
  checkTimeToLive(declared.broadcast);
  const { state, timers, outputs } = processOperator(handlers, declared);
  return {
    state,
    timers,
    outputs,
    create: (context) => {
      const shared = new BroadcastState(declared.broadcast, context.subtask.clock);
      return {
        ...processOperator(inContexts(handlers, context, shared), declared).create(context),
        operatorEntries: () => shared.entries(),
        restoreOperatorEntry: (entry) => shared.restore(entry),
      };
    },
  };
}

/** The handlers, each with the context that it may have. */
function inContexts({ elements, timer }: ProcessHandlers, context: OperatorContext, shared: BroadcastState): ProcessHandlers {
  const [onElement, onBroadcast] = elements as readonly ((value: unknown, context: unknown) => Emits)[];
  const onTimer = timer as ((timer: unknown, context: unknown) => Emits) | undefined;
  const reading = withMore(context, { broadcast: shared.readers });
  context.subtask.backend.listKeys();
  const forEachKey = (visit: (context: unknown) => void): void => {
    const { backend } = context.subtask;
    for (const key of backend.keys()) {
      backend.enter(key);
      visit(reading);
    }
  };
  const writing = withMore(context, { broadcast: shared.writers, forEachKey });
  return {
    elements: [(value) => onElement!(value, reading), (value) => onBroadcast!(value, writing)],
    timer: onTimer === undefined ? undefined : (due) => onTimer(due, reading),
  };
}

/** A context's view with something added. */
function withMore(context: OperatorContext, more: object): object {
  const { state, timers, now, random, output, counter } = context;
  return {
    get key(): Key {
      return context.key;
    },
    get timestamp(): number | undefined {
      return context.timestamp;
    },
    get watermark(): number {
      return context.watermark;
    },
    state,
    timers,
    now,
    random,
    output,
    counter,
    ...more,
  };
}

/** The broadcast states of one subtask: a backend of a single key. */
class BroadcastState {
  readonly writers: Readonly<Record<string, unknown>>;
  readonly readers: Readonly<Record<string, unknown>>;
  private readonly backend: MemoryBackend;

  constructor(shape: StateShape, clock: Clock) {
    this.backend = new MemoryBackend(clock);
    this.backend.enter(NO_KEY);
    const handles = Object.entries(shape).map(([name, descriptor]) => [name, this.backend.open(name, descriptor)] as const);
    this.writers = Object.fromEntries(handles);
    this.readers = Object.fromEntries(handles.map(([name, handle]) => [name, readOnly(handle, name)]));
  }

  *entries(): Iterable<OperatorStateEntry> {
    const entries = [...this.backend.entries()];
    for (const state of Object.keys(this.writers)) {
      const items = entries.filter((entry) => entry.state === state).map(({ userKey, value }) => ({ userKey, value }));
      if (items.length > 0) yield { state, mode: 'broadcast', items };
    }
  }

  restore({ state, items }: OperatorStateEntry): void {
    for (const item of items as readonly { readonly userKey: Key | undefined; readonly value: unknown }[]) {
      this.backend.restore({ state, key: NO_KEY, ...item });
    }
  }
}

const NO_KEY = '';

/** State that expires would be read, and so renewed or cleaned up, at different times in different subtasks. */
function checkTimeToLive(shape: StateShape): void {
  for (const [name, { options }] of Object.entries(shape)) {
    if (options.ttl === undefined) continue;
    throw new MillraceError('graph/option', `The broadcast state "${name}" has a time to live.`, {
      remedy: 'Broadcast state must be the same in every subtask: let an element of the broadcast stream remove what is over.',
    });
  }
}
