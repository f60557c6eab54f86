import type { Rejected, Sink } from '../operators/connector.ts';
import type { ErrorPolicy, GraphBuilder } from './builder.ts';
import type { GraphEdge } from './node.ts';

/** The side output of every operator that its error policy sends to. */
export const DEAD_LETTERS = '(dead letters)';

/** The uid of the sink that dead letters go to. */
export const DEAD_LETTER_UID = 'dead-letters';

/**
 * A job with one more sink: for the elements that the policy `deadLetter` took out of it, and for what sources refused and nobody took.
 * The builder that is given stays as it is. Without a sink such elements are counted and logged.
 */
export function withDeadLetters(builder: GraphBuilder, onError: ErrorPolicy, sink: Sink<Rejected> | undefined): GraphBuilder {
  if (sink === undefined) return builder;
  const edges = rejections(builder, onError);
  if (edges.length === 0) return builder;
  const extended = builder.copy();
  extended.add({
    kind: 'sink',
    edges,
    traits: { stateful: true, pipelined: true },
    details: { connector: sink.definition.name },
    // A sink that fails must not send to itself.
    options: { uid: DEAD_LETTER_UID, name: 'dead letters', parallelism: 1, onError: 'fail' },
    behaviour: { sink: sink.definition as never },
  });
  return extended;
}

function rejections(builder: GraphBuilder, onError: ErrorPolicy): readonly GraphEdge[] {
  const { nodes } = builder.graph();
  const taken = new Set(nodes.flatMap(({ edges }) => edges).flatMap(({ from, output }) => (output === 'rejected' ? [from] : [])));
  return nodes.flatMap(({ id, kind }) => {
    const outputs: string[] = [];
    if (kind === 'source' && !taken.has(id)) outputs.push('rejected');
    if (policyOf(builder, id, onError) === 'deadLetter') outputs.push(DEAD_LETTERS);
    return outputs.map((output): GraphEdge => ({ from: id, output, input: 0, exchange: 'forward', keyed: false }));
  });
}

/** The uids of operators with the policy `deadLetter`. */
export function deadLetterSenders(builder: GraphBuilder, onError: ErrorPolicy): readonly string[] {
  return builder.graph().nodes.flatMap(({ id, uid }) => (policyOf(builder, id, onError) === 'deadLetter' ? [uid] : []));
}

function policyOf(builder: GraphBuilder, node: number, ofJob: ErrorPolicy): ErrorPolicy {
  return builder.behaviour(node).onError ?? ofJob;
}
