import { MillraceError } from '../errors/millraceError.ts';
import type { GraphBuilder, NodeBehaviour, OperatorOptions } from '../graph/builder.ts';
import type { ExchangeKind, GraphEdge, NodeTraits } from '../graph/node.ts';
import type { OperatorDefinition } from '../operators/operator.ts';
import type { Key } from '../state/key.ts';
import { isConstantKey } from './constantKey.ts';
import type { StreamFactory } from './streamFactory.ts';

const ONE_KEY = { key: 'one for all, cannot be parallel' };

/** One of the places that a stream comes from. */
export interface OriginPart {
  readonly from: number;
  readonly output: string | null;
  readonly exchange: ExchangeKind;
  readonly partitioner?: ((value: never, channels: number) => number) | undefined;
}

/** A node to be added behind one or more streams. */
export interface NodeSpec {
  readonly kind: string;
  readonly options: OperatorOptions | undefined;
  readonly operator?: OperatorDefinition;
  readonly sink?: NodeBehaviour['sink'];
  readonly traits?: NodeTraits;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Where a stream comes from, as the fluent classes carry it: plain and immutable. */
export class StreamOrigin {
  readonly builder: GraphBuilder;
  readonly factory: StreamFactory;
  readonly parts: readonly OriginPart[];
  /** The key selector of a keyed stream. */
  readonly key: ((value: never) => Key) | undefined;

  constructor(builder: GraphBuilder, factory: StreamFactory, parts: readonly OriginPart[], key?: (value: never) => Key) {
    this.builder = builder;
    this.factory = factory;
    this.parts = parts;
    this.key = key;
  }

  /** The same elements, dealt out to the next operator in another way. */
  exchanged(exchange: ExchangeKind, partitioner?: OriginPart['partitioner']): StreamOrigin {
    return new StreamOrigin(
      this.builder,
      this.factory,
      this.parts.map((part) => ({ ...part, exchange, partitioner })),
    );
  }

  keyed(key: (value: never) => Key): StreamOrigin {
    return new StreamOrigin(
      this.builder,
      this.factory,
      this.parts.map((part) => ({ ...part, exchange: 'hash' })),
      key,
    );
  }

  /** A side output of the node that this stream is the main output of. */
  side(output: string): StreamOrigin {
    return new StreamOrigin(
      this.builder,
      this.factory,
      this.parts.map((part) => ({ ...part, output, exchange: 'forward' })),
    );
  }

  /** The same elements without their key. */
  unkeyed(): StreamOrigin {
    return this.key === undefined ? this : this.exchanged('forward');
  }

  joined(others: readonly StreamOrigin[]): StreamOrigin {
    for (const other of others) this.checkSameJob(other);
    return new StreamOrigin(
      this.builder,
      this.factory,
      [this, ...others].flatMap((origin) => origin.unkeyed().parts),
    );
  }

  /** Adds a node with this stream as its first input, and `others` as the next. */
  append(spec: NodeSpec, others: readonly StreamOrigin[] = []): StreamOrigin {
    const inputs: readonly StreamOrigin[] = [this, ...others];
    const edges: GraphEdge[] = [];
    const partitioners = new Map<number, (value: never, channels: number) => number>();
    for (const [input, origin] of inputs.entries()) {
      this.checkSameJob(origin);
      for (const { from, output, exchange, partitioner } of origin.parts) {
        if (partitioner !== undefined) partitioners.set(edges.length, partitioner);
        edges.push({ from, output, exchange, input, keyed: origin.key !== undefined });
      }
    }
    const node = this.builder.add({
      kind: spec.kind,
      edges,
      outputs: spec.operator?.outputs ?? [],
      traits: { ...spec.traits, ...(isStateful(spec) && { stateful: true }) },
      details: { ...spec.details, ...(this.key !== undefined && isConstantKey(this.key) && ONE_KEY) },
      options: spec.options,
      behaviour: {
        ...(spec.operator !== undefined && { operator: spec.operator }),
        ...(spec.sink !== undefined && { sink: spec.sink }),
        keys: inputs.map((origin) => origin.key),
        partitioners,
      },
    });
    return new StreamOrigin(this.builder, this.factory, [{ from: node.id, output: null, exchange: 'forward' }]);
  }

  private checkSameJob(other: StreamOrigin): void {
    if (other.builder === this.builder) return;
    throw new MillraceError('graph/option', 'Two streams of different environments meet in one operator.', {
      remedy: 'Build both from the same StreamEnvironment.',
    });
  }
}

function isStateful({ operator, traits }: NodeSpec): boolean {
  return traits?.stateful === true || operator?.state !== undefined || operator?.timers !== undefined;
}
