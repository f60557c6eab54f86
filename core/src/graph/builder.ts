import { MillraceError } from '../errors/millraceError.ts';
import type { Key } from '../state/key.ts';
import type { EventTime } from '../time/watermark.ts';
import type { SinkDefinition, SourceDefinition } from '../operators/connector.ts';
import type { OperatorDefinition } from '../operators/operator.ts';
import type { Chaining, Graph, GraphEdge, GraphNode, NodeTraits } from './node.ts';

/** What happens to an element whose user function threw: the job fails, or the element goes to the dead letters, or just away. */
export type ErrorPolicy = 'fail' | 'deadLetter' | 'skip';

/** What a node does: functions, which no graph can hold. */
export interface NodeBehaviour {
  readonly operator?: OperatorDefinition;
  readonly source?: { readonly definition: SourceDefinition<unknown, unknown>; readonly time: EventTime<unknown> | undefined };
  readonly sink?: SinkDefinition<unknown, unknown>;
  /** Key selector of each input that is keyed. */
  readonly keys?: readonly (((value: never) => Key) | undefined)[];
  /** For custom exchanges, by position of the edge. */
  readonly partitioners?: ReadonlyMap<number, (value: never, channels: number) => number>;
  readonly onError?: ErrorPolicy | undefined;
}

/** The last argument of every verb. Stateful verbs need `uid` once checkpoints are on. */
export interface OperatorOptions {
  /** The operator's address: in state, metrics, logs and errors. Unique in the job; unchanged when the job changes around it. */
  readonly uid?: string;
  /** What people read; the verb's name when left out. */
  readonly name?: string;
  /** Number of subtasks; the job's when left out. */
  readonly parallelism?: number;
  /** Whether the operator may share a task with the one before it: `auto`, not with the one before (`start`), with neither (`never`). */
  readonly chain?: Chaining;
  /** What happens to an element whose user function throws; the job's when left out. */
  readonly onError?: ErrorPolicy;
}

/** A node before it has an id and a uid. */
export interface NodeDraft {
  readonly kind: string;
  readonly edges: readonly GraphEdge[];
  readonly outputs?: readonly string[];
  readonly traits?: NodeTraits;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly options?: OperatorOptions | undefined;
  readonly behaviour: NodeBehaviour;
}

/** Printable ASCII, and nothing that would need escaping in file names, metrics or generated code. */
const UID = /^[\w][\w .:/@#+()-]*$/;

/** Gathers the nodes of a job. The fluent classes do nothing but call it. */
export class GraphBuilder {
  private readonly nodes: GraphNode[] = [];
  private readonly behaviours: NodeBehaviour[] = [];
  private readonly uids = new Map<string, string>();
  private readonly derived = new Map<string, number>();
  private scopes: readonly string[] = [];

  add(draft: NodeDraft): GraphNode {
    const options = draft.options ?? {};
    checkParallelism(options);
    const name = options.name ?? draft.kind;
    const uid = options.uid === undefined ? this.deriveUid(draft.kind) : this.scoped(checkUid(options.uid));
    this.claim(uid, name);
    const node: GraphNode = Object.freeze({
      id: this.nodes.length,
      uid,
      uidGiven: options.uid !== undefined,
      name,
      kind: draft.kind,
      parallelism: options.parallelism ?? null,
      chaining: options.chain ?? 'auto',
      edges: Object.freeze(draft.edges.map((edge) => Object.freeze({ ...edge }))),
      outputs: Object.freeze([...(draft.outputs ?? [])]),
      traits: Object.freeze({ ...draft.traits }),
      details: Object.freeze({ ...draft.details }),
    });
    this.nodes.push(node);
    this.behaviours.push({ ...draft.behaviour, onError: options.onError });
    return node;
  }

  /** Prefixes the uids that `build` gives, so that a function can be used twice. */
  inScope<R>(scope: string, build: () => R): R {
    const before = this.scopes;
    this.scopes = [...before, checkUid(scope)];
    try {
      return build();
    } finally {
      this.scopes = before;
    }
  }

  /** The same nodes, to which others can be added without the original knowing. */
  copy(): GraphBuilder {
    const copy = new GraphBuilder();
    copy.nodes.push(...this.nodes);
    copy.behaviours.push(...this.behaviours);
    for (const [uid, name] of this.uids) copy.uids.set(uid, name);
    for (const [base, n] of this.derived) copy.derived.set(base, n);
    return copy;
  }

  graph(): Graph {
    return { nodes: [...this.nodes] };
  }

  behaviour(id: number): NodeBehaviour {
    return this.behaviours[id]!;
  }

  /** Replaces what a node does, and of its traits those that are given: how a test gives a job other sources. */
  replaceBehaviour(id: number, behaviour: NodeBehaviour, traits: NodeTraits = {}): void {
    const node = this.nodes[id]!;
    this.nodes[id] = Object.freeze({ ...node, traits: Object.freeze({ ...node.traits, ...traits }) });
    this.behaviours[id] = behaviour;
  }

  private deriveUid(kind: string): string {
    const base = this.scoped(kind);
    const n = (this.derived.get(base) ?? 0) + 1;
    this.derived.set(base, n);
    return `${base}#${n}`;
  }

  private scoped(uid: string): string {
    return [...this.scopes, uid].join('/');
  }

  private claim(uid: string, name: string): void {
    const other = this.uids.get(uid);
    if (other !== undefined) {
      throw new MillraceError('graph/duplicate-uid', `Two operators have this uid: "${other}" and "${name}".`, {
        uid,
        remedy: "Give each its own. Where a function is used twice, apply it with .pipe(fn, { scope: 'name' }).",
      });
    }
    this.uids.set(uid, name);
  }
}

function checkUid(uid: string): string {
  if (UID.test(uid)) return uid;
  throw new MillraceError('graph/option', `${JSON.stringify(uid)} is no uid.`, {
    remedy: 'Use letters, digits, spaces and any of _ . : / @ # + ( ) -, beginning with a letter or digit.',
  });
}

function checkParallelism({ parallelism, uid }: OperatorOptions): void {
  if (parallelism === undefined || (Number.isSafeInteger(parallelism) && parallelism >= 1)) return;
  throw new MillraceError('graph/option', `parallelism is ${parallelism}.`, { uid, remedy: 'Give a whole number of at least 1.' });
}
