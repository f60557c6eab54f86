import type { Condition } from './condition.ts';

/**
 * A pattern as a plain tree, versioned: what the builder makes, what JSON holds, what the compiler reads. Durations are in ms.
 */
export interface PatternNode {
  readonly version: 1;
  readonly sequence: SequenceNode;
  /** What becomes of other runs and matches when a match was given out. Default: nothing. */
  readonly afterMatch?: AfterMatchNode | undefined;
}

/** Steps, one after the other. */
export interface SequenceNode {
  readonly steps: readonly StepNode[];
  /** The last event is less than so many ms after the first. */
  readonly within?: number | undefined;
}

/** A step of a sequence. */
export type StepNode = EventNode | GroupNode | EitherNode | AllNode | NotNode;

/** How far the event that a step takes may be from the one taken before it. `begin`: there is none. */
export type Link = 'begin' | 'next' | 'followedBy' | 'followedByAny';

/** The same between two events of one loop. */
export type InnerLink = 'consecutive' | 'relaxed' | 'combinations';

/** What every step that takes events has. */
export interface TakingNode {
  readonly link: Link;
  /** Default: once. */
  readonly times?: TimesNode | undefined;
  /** May be left out. */
  readonly optional?: true | undefined;
  /** The first event is less than so many ms after the one before it. */
  readonly withinPrevious?: number | undefined;
}

/** How often a step takes an event: a loop. */
export interface TimesNode {
  readonly min: number;
  /** `null`: without end. */
  readonly max: number | null;
  readonly inner: InnerLink;
  /** `greedy`: what the loop can take is not for the step after it; `reluctant`: what the step after it can take is not for the loop. */
  readonly preference?: 'greedy' | 'reluctant' | undefined;
  /** Ends the loop: no event that satisfies it is taken, nor any after it. */
  readonly until?: Condition | undefined;
  /** Two neighbours in the loop are less than so many ms apart. */
  readonly within?: number | undefined;
}

/** Takes events that satisfy a condition; without one, any. */
export interface EventNode extends TakingNode {
  readonly kind: 'event';
  readonly name: string;
  readonly where?: Condition | undefined;
}

/** A sequence as one step. */
export interface GroupNode extends TakingNode {
  readonly kind: 'group';
  readonly body: SequenceNode;
}

/** One of several sequences. */
export interface EitherNode extends TakingNode {
  readonly kind: 'either';
  readonly branches: readonly SequenceNode[];
}

/** Several events, each once, in any order. */
export interface AllNode extends TakingNode {
  readonly kind: 'all';
  readonly events: readonly EventNode[];
}

/** What must not happen between two events, or after the last. */
export interface NotNode {
  readonly kind: 'not';
  /** `next`: not as the very next event; `followedBy`: not at all until the next step takes one; `absent`: not for a time, after which the next step begins. */
  readonly link: 'next' | 'followedBy' | 'absent';
  readonly name: string;
  readonly where?: Condition | undefined;
  /** For `absent`: how long, from the event before. */
  readonly duration?: number | undefined;
  /** For a trailing `followedBy`: it is decided so many ms after the event before it. */
  readonly withinPrevious?: number | undefined;
}

/** After a match, runs that began too early are dropped, and with them matches that wait. */
export type AfterMatchNode =
  | { readonly skip: 'none' | 'toNext' | 'pastLast' }
  | { readonly skip: 'toFirst' | 'toLast'; readonly step: string; readonly throwOnMiss?: boolean | undefined };

/** Limits on the runs of a key, since each event can double them. */
export interface MaxPartials {
  readonly limit: number;
  readonly policy: 'dropOldest' | 'dropNewest' | 'fail';
}

/** What is given out when an event completes matches. */
export type EmitMode = 'all' | 'first' | 'exists' | { readonly limit: number };
