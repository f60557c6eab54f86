import { patternOf } from './builder.ts';
import { invalidPattern } from './invalid.ts';
import type { Complete, Matched, MatchOf } from './matched.ts';
import type { GroupStep } from './language.ts';
import type { EventNode, PatternNode, SequenceNode } from './pattern.ts';

/** The event type that all of the patterns can take. */
type EventOf<P> = P extends Complete<infer T, Matched> ? T : never;
type Names<P> = P extends unknown ? keyof MatchOf<P> : never;
/** One branch's match, with the steps of the others empty. */
type Branch<P, All> =
  P extends Complete<never, infer M> ? { readonly [S in All & PropertyKey]: S extends keyof M ? M[S] : readonly [] } : never;
type OneOf<Ps extends readonly Complete<never, Matched>[]> = AsMatched<Branch<Ps[number], Names<Ps[number]>>>;
type AsMatched<B> = B extends Matched ? B : never;
type AllOf<Ps extends readonly Complete<never, Matched>[]> = {
  readonly [S in Names<Ps[number]> & string]: MatchWith<Ps[number], S>;
};
type MatchWith<P, S extends string> = P extends Complete<never, infer M> ? (S extends keyof M ? M[S] : never) : never;

/**
 * One of several patterns. The steps of those that did not match are empty in the match.
 *
 * @example
 * interface Login { kind: 'password' | 'key' | 'sudo' }
 * const entered = either(
 *   pattern<Login>().begin('password').where((e) => e.kind === 'password'),
 *   pattern<Login>().begin('key').where((e) => e.kind === 'key'),
 * );
 * const rooted = pattern<Login>().begin(entered).followedBy('sudo').where((e) => e.kind === 'sudo');
 * console.log(rooted.node.sequence.steps.map((step) => step.kind)); // [ 'either', 'event' ]
 */
export function either<const Ps extends readonly [Complete<never, Matched>, Complete<never, Matched>, ...Complete<never, Matched>[]]>(
  ...patterns: Ps
): GroupStep<EventOf<Ps[number]>, OneOf<Ps>, Names<Ps[number]>> {
  const branches: SequenceNode[] = patterns.map(({ node }) => withoutStrategy(node));
  const built = patternOf({ version: 1, sequence: { steps: [{ kind: 'either', link: 'begin', branches }] } });
  return built as unknown as GroupStep<EventOf<Ps[number]>, OneOf<Ps>, Names<Ps[number]>>;
}

/**
 * Several events, each once, in any order; others may come in between.
 *
 * @example
 * interface Part { kind: 'engine' | 'wheels' }
 * const built = all(
 *   pattern<Part>().begin('engine').where((p) => p.kind === 'engine'),
 *   pattern<Part>().begin('wheels').where((p) => p.kind === 'wheels'),
 * ).within({ hours: 1 });
 * console.log(built.node.sequence.steps.map((step) => step.kind)); // [ 'all' ]
 */
export function all<const Ps extends readonly [Complete<never, Matched>, Complete<never, Matched>, ...Complete<never, Matched>[]]>(
  ...patterns: Ps
): GroupStep<EventOf<Ps[number]>, AllOf<Ps>, Names<Ps[number]>> {
  const events = patterns.map(({ node }) => onlyEvent(node));
  const built = patternOf({ version: 1, sequence: { steps: [{ kind: 'all', link: 'begin', events }] } });
  return built as unknown as GroupStep<EventOf<Ps[number]>, AllOf<Ps>, Names<Ps[number]>>;
}

function withoutStrategy({ sequence, afterMatch }: PatternNode): SequenceNode {
  if (afterMatch === undefined) return sequence;
  throw invalidPattern('malformed', '', 'A branch of either() has an afterMatch of its own.', 'Say afterMatch of the whole pattern.');
}

function onlyEvent(node: PatternNode): EventNode {
  const { steps, within } = withoutStrategy(node);
  const [step] = steps;
  if (steps.length === 1 && within === undefined && step!.kind === 'event' && step!.times === undefined && step!.optional === undefined)
    return step!;
  throw invalidPattern(
    'malformed',
    '',
    'A part of all() is more than one event.',
    'Give it single steps: all(pattern().begin(name).where(…), …).',
  );
}
