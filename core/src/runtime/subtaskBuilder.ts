import { describeError } from '../errors/describe.ts';
import { isMillraceError } from '../errors/millraceError.ts';
import type { ErrorPolicy, GraphBuilder, NodeBehaviour } from '../graph/builder.ts';
import { DEAD_LETTERS } from '../graph/deadLetters.ts';
import type { GraphNode } from '../graph/node.ts';
import type { Mode } from '../graph/plan.ts';
import type { Rejected } from '../operators/connector.ts';
import type { Logger } from '../operators/logger.ts';
import type { Operator, OperatorDefinition } from '../operators/operator.ts';
import { OperatorContext } from '../operators/operatorContext.ts';
import { OperatorMetrics } from '../operators/operatorMetrics.ts';
import { RandomGenerator, seedOf } from '../operators/random.ts';
import { logRejection } from '../operators/rejectionLog.ts';
import { SinkOperator } from '../operators/sink.ts';
import { SourceOperator } from '../operators/source.ts';
import type { StateHandles, StateShape } from '../state/descriptor.ts';
import { OperatorStates } from '../state/operatorState.ts';
import type { KeptSpace, Workspace } from '../state/spill.ts';
import type { Clock } from '../time/clock.ts';
import type { Timestamp } from '../time/timestamp.ts';

import type { CreditPolicy } from './creditWindow.ts';
import { operatorFailure } from './failure.ts';
import type { FinishedRegions } from './finishedRegions.ts';
import type { StateSpace } from './stateSpace.ts';

/** What all subtasks of a job share. */
export interface JobScope {
  readonly builder: GraphBuilder;
  readonly mode: Mode;
  readonly maxParallelism: number;
  readonly onError: ErrorPolicy;
  readonly seed: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly workspace: Workspace;
  readonly stateSpace: StateSpace;
  /** Of the lease under which sinks commit; 0 without checkpoints. */
  readonly epoch: number;
  /** Of the checkpoint location; empty without checkpoints. */
  readonly lineage: string;
  /** How much may wait between two subtasks. */
  readonly credit: CreditPolicy;
  /** Whether channels are blocked behind a barrier. */
  readonly exactlyOnce: boolean;
  /** Whether what went through blocking exchanges may be read again, after a failure; results of an attempt before. */
  readonly keepsResults?: boolean | undefined;
  readonly results?: KeptSpace | undefined;
  readonly finished?: FinishedRegions | undefined;
  /** `undefined`: where the host allows it. */
  readonly generateCode?: boolean | undefined;
}

/** An operator's instance for one subtask, with its context and what it does with elements that fail. */
export interface SubtaskInstance {
  readonly node: GraphNode;
  readonly behaviour: NodeBehaviour;
  readonly operator: Operator;
  readonly context: OperatorContext;
  readonly policy: ErrorPolicy;
  readonly reject: (error: unknown, value: unknown, timestamp: Timestamp) => void;
}

/** Makes a node's operator for one subtask. */
export function instantiate(
  node: GraphNode,
  subtask: { readonly index: number; readonly parallelism: number },
  scope: JobScope,
): SubtaskInstance {
  const behaviour = scope.builder.behaviour(node.id);
  const definition = definitionOf(behaviour);
  let context: OperatorContext | undefined;
  const backend = scope.stateSpace.backend(scope.clock, scope.maxParallelism, {
    block: () => context?.block(),
    unblock: () => context?.unblock(),
    placed: (error) => operatorFailure(error, node.uid),
    fail: (error) =>
      context?.mail(() => {
        throw operatorFailure(error, node.uid);
      }),
  });
  const state = Object.fromEntries(
    Object.entries(definition.state ?? {}).map(([name, descriptor]) => [name, backend.open(name, descriptor)]),
  );
  const keyedTimers = backend.openTimers(definition.timers ?? {}, () => context?.wake());
  context = new OperatorContext(
    {
      uid: node.uid,
      name: node.name,
      index: subtask.index,
      parallelism: subtask.parallelism,
      maxParallelism: scope.maxParallelism,
      emission: scope.mode === 'batch' ? 'final' : 'rolling',
      clock: scope.clock,
      logger: scope.logger,
      metrics: new OperatorMetrics(),
      random: new RandomGenerator(seedOf(`${scope.seed}/${node.uid}/${subtask.index}`)),
      backend,
      keyedTimers,
      operatorStates: new OperatorStates(),
      workspace: scope.workspace,
      epoch: scope.epoch,
      lineage: scope.lineage,
    },
    { state: state as StateHandles<StateShape>, outputs: [...node.outputs, DEAD_LETTERS] },
  );
  const policy = behaviour.onError ?? scope.onError;
  const reject = rejecter(context);
  context.reject = (error, value, timestamp) => {
    if (policy === 'fail') throw operatorFailure(error, node.uid);
    reject(error, value, timestamp);
  };
  return { node, behaviour, operator: definition.create(context), context, policy, reject };
}

function definitionOf({ operator, source, sink }: NodeBehaviour): OperatorDefinition {
  if (operator !== undefined) return operator;
  if (source !== undefined) return { create: (context) => new SourceOperator(context, source.time) };
  return { create: (context) => new SinkOperator(context, sink!) };
}

function rejecter(context: OperatorContext): SubtaskInstance['reject'] {
  const { uid, metrics } = context.subtask;
  return (error, value, timestamp) => {
    const code = isMillraceError(error) ? error.code : 'operator/failed';
    const reason = isMillraceError(error) ? error.problem : describeError(error);
    metrics.reject(code);
    logRejection(context.subtask, code, `an element was rejected: ${reason}`);
    context.outputAt(DEAD_LETTERS, { place: uid, code, reason, value } satisfies Rejected, timestamp);
  };
}
