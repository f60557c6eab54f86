import { MillraceError } from '../errors/millraceError.ts';
import { defaultMaxParallelism } from '../state/keyGroups.ts';
import { endlessSources } from './boundedness.ts';
import type { ExchangeKind, Graph, GraphEdge, GraphNode } from './node.ts';

/** How a job runs: as results come, or with final results only. */
export type Mode = 'streaming' | 'batch';

/** What the plan is made for. */
export interface PlanOptions {
  readonly mode: Mode | 'automatic';
  readonly parallelism: number;
  readonly maxParallelism?: number | undefined;
  /** Checkpoints will be taken: state needs addresses that last. */
  readonly checkpointed?: boolean;
}

/** An edge between two chains. */
export interface PlanEdge {
  readonly from: number;
  readonly output: string | null;
  readonly to: number;
  readonly input: number;
  readonly exchange: ExchangeKind;
  readonly keyed: boolean;
  /** The position of the edge among those of the consumer. */
  readonly index: number;
  /** Blocking: materialised, and read when its producer has ended. */
  readonly blocking: boolean;
  /** Blocking and read in this order. */
  readonly sorted: 'key' | 'time' | null;
}

/** Nodes that run in one task: a tree, producers first. */
export interface PlanChain {
  readonly id: number;
  readonly nodes: readonly number[];
  readonly parallelism: number;
}

/** A job as it will run. Plain data. */
export interface Plan {
  readonly mode: Mode;
  readonly maxParallelism: number;
  /** Whether checkpoints are taken: sinks then make visible only what a complete checkpoint holds. */
  readonly isCheckpointed: boolean;
  readonly graph: Graph;
  readonly chains: readonly PlanChain[];
  readonly edges: readonly PlanEdge[];
}

/** Compiles a graph: mode, chains, exchanges. */
export function createPlan(graph: Graph, options: PlanOptions): Plan {
  checkNotEmpty(graph);
  checkAcyclic(graph);
  checkEventTime(graph);
  checkBounded(graph);
  const mode = chooseMode(graph, options.mode);
  const parallelismOf = (node: GraphNode): number => node.parallelism ?? options.parallelism;
  const heads = new Map<number, number>();
  const chains: { id: number; nodes: number[]; parallelism: number }[] = [];
  for (const node of graph.nodes) {
    const producer = chainableProducer(graph, node, mode, parallelismOf);
    const chain = producer === undefined ? undefined : heads.get(producer);
    if (chain === undefined) {
      heads.set(node.id, chains.length);
      chains.push({ id: chains.length, nodes: [node.id], parallelism: parallelismOf(node) });
    } else {
      heads.set(node.id, chain);
      chains[chain]!.nodes.push(node.id);
    }
  }
  const edges = graph.nodes.flatMap((node) =>
    node.edges.flatMap((edge, index) =>
      heads.get(edge.from) === heads.get(node.id)
        ? []
        : [planEdge(node, index, mode, parallelismOf(graph.nodes[edge.from]!) === parallelismOf(node))],
    ),
  );
  const widest = Math.max(...chains.map(({ parallelism }) => parallelism));
  // Batch jobs take no checkpoints: they are read again from their input, and commit once, at the end.
  const isCheckpointed = options.checkpointed === true && mode === 'streaming';
  if (isCheckpointed) checkUids(graph);
  return { mode, maxParallelism: options.maxParallelism ?? defaultMaxParallelism(widest), isCheckpointed, graph, chains, edges };
}

function planEdge(node: GraphNode, index: number, mode: Mode, evenly: boolean): PlanEdge {
  const edge = node.edges[index]!;
  const { from, output, input, keyed } = edge;
  // Forward is one to one; between different numbers of subtasks records are dealt out evenly.
  const exchange = edge.exchange === 'forward' && !evenly ? 'rebalance' : edge.exchange;
  const blocking =
    mode === 'batch' &&
    node.traits.pipelined !== true &&
    node.edges.some((each) => each.exchange !== 'forward' || sortOf(node, each) !== null);
  return { from, output, to: node.id, input, exchange, keyed, index, blocking, sorted: blocking ? sortOf(node, edge) : null };
}

/** How an edge is read in batch mode. What is read first, whole, needs no order. */
function sortOf(node: GraphNode, edge: GraphEdge): 'key' | 'time' | null {
  if (edge.input === node.traits.firstInput) return null;
  if (edge.keyed) return 'key';
  return node.traits.timeOrdered === true ? 'time' : null;
}

/** The producer that a node can share a task with: its only one, by an edge that does not deal records out differently. */
function chainableProducer(graph: Graph, node: GraphNode, mode: Mode, parallelismOf: (node: GraphNode) => number): number | undefined {
  const [edge, another] = node.edges;
  if (edge === undefined || another !== undefined || node.chaining !== 'auto' || node.traits.head === true) return undefined;
  const producer = graph.nodes[edge.from]!;
  if (producer.chaining === 'never' || parallelismOf(producer) !== parallelismOf(node)) return undefined;
  // In batch mode what must be sorted is materialised; with one subtask on each side every other exchange is the same as forward.
  if (mode === 'batch' && sortOf(node, edge) !== null) return undefined;
  return edge.exchange === 'forward' || parallelismOf(node) === 1 ? producer.id : undefined;
}

function chooseMode(graph: Graph, wanted: Mode | 'automatic'): Mode {
  const unbounded = graph.nodes.find((node) => node.kind === 'source' && node.traits.bounded !== true);
  if (wanted === 'automatic') return unbounded === undefined ? 'batch' : 'streaming';
  if (wanted === 'batch' && unbounded !== undefined) {
    throw new MillraceError('graph/unbounded', 'Batch mode needs sources that end, and this one does not.', {
      uid: unbounded.uid,
      remedy: "Use mode 'streaming', or a bounded source.",
    });
  }
  return wanted;
}

function checkNotEmpty(graph: Graph): void {
  if (graph.nodes.some(({ kind }) => kind === 'source' || kind === 'input')) return;
  throw new MillraceError('graph/empty', 'The job has no source.', { remedy: 'Begin with env.from(…).' });
}

/** The fluent API cannot build a cycle; a graph that came as data can hold one. */
function checkAcyclic(graph: Graph): void {
  for (const node of graph.nodes) {
    const edge = node.edges.find(({ from }) => from >= node.id);
    if (edge === undefined) continue;
    throw new MillraceError(
      'graph/cycle',
      `"${node.name}" reads from "${graph.nodes[edge.from]?.uid ?? edge.from}", which comes after it.`,
      {
        uid: node.uid,
        remedy: 'A job has no feedback edges: use iterate for rounds over the same data.',
      },
    );
  }
}

/** A derived uid is an address that moves when the job changes: with checkpoints on it is refused where there is state. */
function checkUids(graph: Graph): void {
  const nameless = graph.nodes.filter(({ traits, uidGiven }) => traits.stateful === true && !uidGiven);
  if (nameless.length === 0) return;
  throw new MillraceError(
    'graph/missing-uid',
    `These operators keep state and have no uid of their own: ${nameless.map(({ uid }) => uid).join(', ')}.`,
    {
      remedy: "Give each a uid, such as { uid: 'payments' }: its state is found by it after a restart, also when the job has changed.",
    },
  );
}

/** Refuses what would never fire: an event-time operator whose elements come from somewhere without timestamps. */
function checkEventTime(graph: Graph): void {
  const untimed = new Map<number, GraphNode | undefined>();
  for (const node of graph.nodes) {
    const source = untimedSource(node, untimed);
    untimed.set(node.id, source);
    if (source === undefined || node.traits.needsEventTime !== true) continue;
    throw new MillraceError(
      'graph/no-timestamps',
      `"${node.name}" works in event time, but the elements of "${source.uid}" have no timestamps.`,
      {
        uid: node.uid,
        remedy: `Give the source a time: env.from(source, { uid: "${source.uid}", time: { timestamp: (value) => value.at } }), or use windows and timers in processing time.`,
      },
    );
  }
}

/** Refuses what would never answer: an operator that waits for the end of a source that has none. */
function checkBounded(graph: Graph): void {
  const endless = endlessSources(graph);
  for (const node of graph.nodes) {
    const source = endless.get(node.id);
    if (source === undefined || node.traits.needsBounded !== true) continue;
    throw new MillraceError(
      'graph/unbounded',
      `"${node.name}" gives its results at the end of its input, and "${source.uid}" never ends.`,
      {
        uid: node.uid,
        remedy: 'Use it on bounded sources, or on the windows of a stream.',
      },
    );
  }
}

function untimedSource(node: GraphNode, known: ReadonlyMap<number, GraphNode | undefined>): GraphNode | undefined {
  if (node.traits.timestamped === true) return undefined;
  if (node.edges.length === 0) return node;
  return node.edges.map((edge) => known.get(edge.from)).find((source) => source !== undefined);
}
