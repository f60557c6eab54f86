/** How records go from the subtasks of one node to those of the next. */
export type ExchangeKind = 'forward' | 'hash' | 'rebalance' | 'rescale' | 'broadcast' | 'global' | 'custom';

/** How a node may be joined to its producer in one task. */
export type Chaining = 'auto' | 'start' | 'never';

/** An edge as its consumer holds it. */
export interface GraphEdge {
  /** The node that it comes from. */
  readonly from: number;
  /** The side output that it takes; `null` for the main one. */
  readonly output: string | null;
  /** Which input of the consumer it leads to: several edges may lead to one, as a union. */
  readonly input: number;
  readonly exchange: ExchangeKind;
  /** Whether the consumer sees it keyed. */
  readonly keyed: boolean;
}

/** What the plan has to know of a node to place it. */
export interface NodeTraits {
  readonly bounded?: boolean;
  /** Keeps state: needs an explicit uid once checkpoints are on. */
  readonly stateful?: boolean;
  /** Gives its elements a time (a source with `time`, `withTime`). */
  readonly timestamped?: boolean;
  /** Cannot work without timestamps. */
  readonly needsEventTime?: boolean;
  /** Gives its results when its input has ended. */
  readonly needsBounded?: boolean;
  /** Always the first of its chain: it holds elements back (`asyncMap`). */
  readonly head?: boolean;
  /** Input must come sorted by time in batch mode. */
  readonly timeOrdered?: boolean;
  /** An input that is read to its end before the others in batch mode, as rules are. */
  readonly firstInput?: number;
  /** Takes its elements as they come also in batch mode: dead letters are written when they happen. */
  readonly pipelined?: boolean;
}

/** A node of the logical graph: plain data. What it does is kept apart, under the same id. */
export interface GraphNode {
  readonly id: number;
  readonly uid: string;
  /** Whether the user gave the uid. A derived one changes when the job does. */
  readonly uidGiven: boolean;
  readonly name: string;
  /** Such as `map`, `window`, `source`. */
  readonly kind: string;
  /** `null`: the job's. */
  readonly parallelism: number | null;
  readonly chaining: Chaining;
  readonly edges: readonly GraphEdge[];
  /** Side outputs that exist. */
  readonly outputs: readonly string[];
  readonly traits: NodeTraits;
  /** What `explain` shows beside the name: assigner, operator chosen, and the like. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** A job as data: what is compared, hashed, explained and sent. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
}
