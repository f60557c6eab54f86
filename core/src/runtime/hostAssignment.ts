import type { ErrorPolicy } from '../graph/builder.ts';
import { DEAD_LETTER_UID } from '../graph/deadLetters.ts';
import type { Graph } from '../graph/node.ts';
import type { Plan, PlanChain } from '../graph/plan.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { CreditPolicy } from './creditWindow.ts';
import type { FinishedRegions } from './finishedRegions.ts';
import type { StateSettings } from './stateSpace.ts';

/** A job as others can run it too: where its module is, and its configuration. Plain data. */
export interface Program {
  /** The module's URL; its default export is the job. */
  readonly module: string;
  readonly config: unknown;
}

/** What a host elsewhere must know to make the same job of the module, and its own tasks. Plain data. */
export interface HostAssignment extends JobAssignment {
  /** This host's number. Host 0 is where the job was started. */
  readonly here: number;
  /** Of the lease under which this attempt's sinks commit. */
  readonly epoch: number;
  readonly lineage: string;
  /** Where it keeps results for the next attempt; `undefined`: it keeps none. What the attempt before has left: in files. */
  readonly resultDirectory: string | undefined;
  readonly finished: FinishedRegions | undefined;
}

/** The part of it that is the same for all hosts and all attempts. */
export interface JobAssignment {
  readonly program: Program;
  /** How many hosts there are, with that where the job was started. */
  readonly hosts: number;
  readonly mode: 'streaming' | 'batch';
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly onError: ErrorPolicy;
  /** Dead letters go to a sink that only the host that the job was started on has. */
  readonly deadLettersElsewhere: boolean;
  readonly isCheckpointed: boolean;
  readonly seed: number;
  readonly generateCode: boolean | undefined;
  readonly exactlyOnce: boolean;
  readonly credit: CreditPolicy;
  readonly state: StateSettings | undefined;
}

/** The host that a subtask runs on: the n-th subtasks of all chains share one, but for what only host 0 has. */
export function hostOf(plan: Plan, chain: PlanChain, subtask: number, hosts: number, deadLettersElsewhere: boolean): number {
  if (deadLettersElsewhere && chain.nodes.some((node) => plan.graph.nodes[node]!.uid === DEAD_LETTER_UID)) return 0;
  return 1 + (subtask % (hosts - 1));
}

/** A graph as a list of texts, one for each node, that are equal where the nodes are. */
export function fingerprint({ nodes }: Graph): readonly string[] {
  return nodes.map((node) => JSON.stringify({ ...node, details: undefined }));
}

/**
 * Makes sure that a host has made the same graph.
 *
 * @throws MillraceError `worker/graph`, naming the first node that differs.
 */
export function checkSameGraph(ours: Graph, theirs: readonly string[]): void {
  const expected = fingerprint(ours);
  const at = expected.findIndex((node, i) => node !== theirs[i]);
  if (at < 0 && expected.length === theirs.length) return;
  const uid = ours.nodes[at]?.uid;
  const found = at < 0 ? `${theirs.length} nodes instead of ${expected.length}` : `${theirs[at] ?? 'nothing'} instead of ${expected[at]}`;
  throw new MillraceError('worker/graph', `A worker has built another graph of the job's module: ${found}.`, {
    uid,
    remedy: 'build() must depend on nothing but its arguments: no time, no chance, no state of the module, no environment.',
  });
}
