import { MillraceError } from '../errors/millraceError.ts';
import type { Rejected, Sink } from '../operators/connector.ts';
import type { ErrorPolicy, GraphBuilder } from './builder.ts';
import type { GraphEdge } from './node.ts';

/** The side output of every operator that its error policy sends to. */
export const DEAD_LETTERS = '(dead letters)';

/** The uid of the sink that dead letters go to. */
export const DEAD_LETTER_UID = 'dead-letters';

/**
 * A job with one more sink: for the elements that the policy `deadLetter` took out of it, and for what sources refused and nobody took.
 * The builder that is given stays as it is.
 *
 * @throws MillraceError `graph/option` if an operator has the policy `deadLetter` and there is no sink for it.
 */
export function withDeadLetters(builder: GraphBuilder, onError: ErrorPolicy, sink: Sink<Rejected> | undefined): GraphBuilder {
  if (sink === undefined) {
    checkNoneAreSent(builder, onError);
    return builder;
  }
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

function checkNoneAreSent(builder: GraphBuilder, onError: ErrorPolicy): void {
  const sender = builder.graph().nodes.find(({ id }) => policyOf(builder, id, onError) === 'deadLetter');
  if (sender === undefined) return;
  throw new MillraceError('graph/option', "onError is 'deadLetter', and the job has no place for dead letters.", {
    uid: builder.behaviour(sender.id).onError === undefined ? undefined : sender.uid,
    remedy: "Give it one: env.deadLetterTo(jsonLinesSink('dead-letters.jsonl')), or --dead-letter FILE on the command line.",
  });
}

function policyOf(builder: GraphBuilder, node: number, ofJob: ErrorPolicy): ErrorPolicy {
  return builder.behaviour(node).onError ?? ofJob;
}
