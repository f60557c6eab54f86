/** What an executor tells while it works off events and time. */
export interface MatchSink {
  /** A match: its last run, and the time at which it was certain. */
  match(match: FoundMatch, at: number): void;
  /** A run whose time is over although it could have taken more. */
  timedOut(partial: FoundMatch, at: number): void;
}

/** An event that was taken. */
export interface TakenEvent {
  /** The index of the step among those of the automaton. */
  readonly step: number;
  readonly event: unknown;
  readonly time: number;
  /** The event's number among those of its key. */
  readonly seq: number;
}

/** The events of a match or partial match, first to last: a list whose tail is shared by all matches that end alike. */
export interface FoundMatch {
  readonly taken: TakenEvent;
  readonly next: FoundMatch | undefined;
}

/** The last event of a match. */
export function lastOf(found: FoundMatch): TakenEvent {
  let at = found;
  while (at.next !== undefined) at = at.next;
  return at.taken;
}

/** What an executor holds for one key: keyed state of its operator. */
export interface LiveKey {
  /** The time for which the key's timer is set; Infinity: it is not. */
  timer: number;
  /** Nothing is held: the key can be forgotten. */
  readonly isIdle: boolean;
}

/** Works off the events of keys, each in time order. */
export interface Executor<L extends LiveKey> {
  /** What a key begins with. */
  create(): L;
  /** Whether an event can begin a match. For keys of which nothing is held, other events do not matter. */
  canStart(event: unknown, time: number): boolean;
  /** The next event of a key. Time must have been moved up to it. */
  accept(live: L, event: unknown, time: number): void;
  /** Time has come to `at`: no event before it will come; nor at it, if `through`. */
  advance(live: L, at: number, through: boolean): void;
  /** When time alone will change something; Infinity: never. */
  nextDeadline(live: L): number;
  /** How many partial matches were dropped because there were too many. */
  readonly droppedRuns: number;
}
