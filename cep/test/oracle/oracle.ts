import type { AfterMatchNode, PatternNode } from '../../src/pattern/pattern.ts';
import { type Ask, type Item, lines } from './expansion.ts';

/** An event of the oracle: what it is, and when. */
export interface Happening {
  readonly event: unknown;
  readonly time: number;
}

/** A place in time: windows end before the events of their time, events come in their order, absences end after those of their time. */
type Moment = readonly [time: number, phase: 0 | 1 | 2, index: number];

interface Taken {
  readonly index: number;
  readonly step: string;
}

/** A match, and when it is certain. */
interface Found {
  readonly path: readonly Taken[];
  readonly at: Moment;
}

/** A partial match, from its last event to the end of its life. `timedOut`: when time alone has ended its waiting for events. */
interface Life {
  readonly path: readonly Taken[];
  readonly born: Moment;
  readonly ended: Moment;
  readonly timedOut: number | undefined;
}

/** How one way in which a partial match could go on comes to its end. */
interface End {
  readonly at: Moment;
  readonly by: 'event' | 'time' | 'confirmation';
}

const NEVER: Moment = [Infinity, 2, 0];

/** All matches and time-outs of a pattern in a list of events, found by trying every assignment: as the text of the semantics says it, and slow. */
export function oracle(
  { sequence, afterMatch = { skip: 'none' } }: PatternNode,
  events: readonly Happening[],
): { readonly matches: readonly string[]; readonly timedOut: readonly string[] } {
  const search = new Search(events, sequence.within === undefined || sequence.within === 0 ? Infinity : sequence.within);
  for (const line of lines(sequence, events.length + 1)) search.follow(line, 0, []);
  const matches = afterMatch.skip === 'none' ? search.found() : strategic(search, sequence, afterMatch);
  return {
    matches: matches.map(({ path, at }) => `${text(path)} @${at[1] === 1 ? `event ${at[2]}` : `time ${at[0]}`}`),
    timedOut: search.lives().flatMap(({ path, timedOut }) => (timedOut === undefined ? [] : [`${text(path)} @${timedOut}`])),
  };
}

function text(path: readonly Taken[]): string {
  return path.map(({ index, step }) => `${step}:${index}`).join(' ');
}

function before(a: Moment, b: Moment): boolean {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] ? (a[0] - b[0] || a[1] - b[1] || a[2] - b[2]) < 0 : false;
}

class Search {
  private readonly events: readonly Happening[];
  private readonly within: number;
  private readonly matches = new Map<string, Found>();
  private readonly waits = new Map<string, { path: readonly Taken[]; ends: End[] }>();

  constructor(events: readonly Happening[], within: number) {
    this.events = events;
    this.within = within;
  }

  found(): Found[] {
    return [...this.matches.values()];
  }

  /** A partial match ends with the last of the ways in which it could go on. */
  lives(): Life[] {
    return [...this.waits.values()].map(({ path, ends }) => {
      const ended = lastOf(ends)!.at;
      const waited = lastOf(ends.filter(({ by }) => by !== 'confirmation'));
      const timedOut = waited?.by === 'time' && waited.at[0] !== Infinity ? waited.at[0] : undefined;
      return { path, born: this.momentOf(path.at(-1)!.index), ended, timedOut };
    });
  }

  /** Assigns events to the rest of a line, `path` being taken. */
  follow(line: readonly Item[], from: number, path: readonly Taken[]): void {
    const next = line.findIndex((item, at) => at >= from && item.kind === 'take');
    const between = line.slice(from, next < 0 ? line.length : next);
    if (next < 0) return this.finish(between, path);
    const take = line[next] as Extract<Item, { kind: 'take' }>;
    if (path.length > 0) this.note(path, this.lifeOf(take, between, path));
    const x = path.at(-1)?.index ?? -1;
    for (let y = x + 1; y < this.events.length; y++)
      if (this.allows(take, between, path, y)) this.follow(line, next + 1, [...path, { index: y, step: take.step }]);
  }

  private momentOf(index: number): Moment {
    return [this.events[index]!.time, 1, index];
  }

  private asks(ask: Ask, index: number, path: readonly Taken[]): boolean {
    const soFar: Record<string, unknown[]> = {};
    for (const each of path) (soFar[each.step] ??= []).push(this.events[each.index]!.event);
    return ask(this.events[index]!.event as never, soFar);
  }

  /** When the absences between x and the next event are over, the last event's time where there are none. */
  private base(between: readonly Item[], path: readonly Taken[]): number {
    let base = path.length === 0 ? -Infinity : this.events[path.at(-1)!.index]!.time;
    for (const item of between) if (item.kind === 'absent') base += item.duration;
    return base;
  }

  private allows(take: Extract<Item, { kind: 'take' }>, between: readonly Item[], path: readonly Taken[], y: number): boolean {
    const time = this.events[y]!.time;
    const x = path.at(-1)?.index ?? -1;
    if (path.length > 0) {
      if (time - this.events[path[0]!.index]!.time >= this.within || time - this.events[x]!.time >= take.gap) return false;
      if (between.some(({ kind }) => kind === 'absent') && time <= this.base(between, path)) return false;
    }
    if (!this.asks(take.own, y, path)) return false;
    const firstSeen = path.length === 0 ? y : x + 1;
    for (let z = firstSeen; z <= y; z++) if (this.ends(take, between, path, z, z === y)) return false;
    return true;
  }

  /** Whether event z, after x, makes an end of waiting for the take; `taken`: z itself is the one. */
  private ends(
    take: Extract<Item, { kind: 'take' }>,
    between: readonly Item[],
    path: readonly Taken[],
    z: number,
    taken: boolean,
  ): boolean {
    const first = path.length === 0 ? z : path.at(-1)!.index + 1;
    const holds = (ask: Ask): boolean => this.asks(ask, z, path);
    if (take.never.some(holds)) return true;
    if (z === first && take.notFirst.some(holds)) return true;
    if (this.forbids(between, path, z, first)) return true;
    if (taken || path.length === 0) return false;
    // What lies in an absence is not looked at by the link.
    if (this.events[z]!.time <= this.base(between, path) && between.some(({ kind }) => kind === 'absent')) return false;
    return take.link === 'next' || (take.link === 'relaxed' && holds(take.own));
  }

  private forbids(between: readonly Item[], path: readonly Taken[], z: number, first: number): boolean {
    return between.some((item, at) => {
      if (item.kind === 'not') return (!item.first || z === first) && this.asks(item.what, z, path);
      if (item.kind === 'absent') return this.isIn(between.slice(0, at), item.duration, path, z) && this.asks(item.what, z, path);
      if (item.kind !== 'greedy') return false;
      return between.slice(at + 1).every(({ kind }) => kind !== 'leftOut') && this.isForLoop(item, path, z, first);
    });
  }

  /** Whether event z lies in an absence that begins when those before it are over. The first begins right behind x. */
  private isIn(before: readonly Item[], duration: number, path: readonly Taken[], z: number): boolean {
    const start = this.base(before, path);
    const { time } = this.events[z]!;
    return time <= start + duration && (time > start || before.length === 0);
  }

  /** Whether a greedy loop keeps an event from the step after it. */
  private isForLoop({ what, until }: Extract<Item, { kind: 'greedy' }>, path: readonly Taken[], z: number, first: number): boolean {
    const isLifted = until !== undefined && first < this.events.length && this.asks(until, first, path);
    return !isLifted && this.asks(what, z, path);
  }

  /** How long a partial match could wait for a take. */
  private lifeOf(take: Extract<Item, { kind: 'take' }>, between: readonly Item[], path: readonly Taken[]): End {
    const x = path.at(-1)!.index;
    const deadline = Math.min(this.events[path[0]!.index]!.time + this.within, this.events[x]!.time + take.gap);
    for (let z = x + 1; z < this.events.length && this.events[z]!.time < deadline; z++) {
      if (this.ends(take, between, path, z, false)) return { at: this.momentOf(z), by: 'event' };
    }
    return deadline === Infinity ? { at: NEVER, by: 'time' } : { at: [deadline, 0, 0], by: 'time' };
  }

  /** The line is over: it matches now, with the next event, or when nothing has happened for long enough. */
  private finish(between: readonly Item[], path: readonly Taken[]): void {
    if (path.length === 0 || between.some(({ kind }) => kind === 'cut')) return;
    const lastOut = between.findLastIndex(({ kind }) => kind === 'leftOut');
    const open = between.slice(lastOut + 1).filter(({ kind }) => kind === 'not' || kind === 'absent');
    const absences = between.filter(({ kind }) => kind === 'absent');
    if (open.length === 0 && absences.length === 0) return this.match(path, this.momentOf(path.at(-1)!.index));
    const last = open.at(-1);
    if (last?.kind === 'not' && last.first) this.finishNext(open, path);
    else this.finishLater(open.length > 0 ? open : absences, path);
  }

  private finishNext(open: readonly Item[], path: readonly Taken[]): void {
    const z = path.at(-1)!.index + 1;
    const deadline = this.events[path[0]!.index]!.time + this.within;
    if (z >= this.events.length || this.events[z]!.time >= deadline) {
      return this.note(path, deadline === Infinity ? { at: NEVER, by: 'time' } : { at: [deadline, 0, 0], by: 'time' });
    }
    this.note(path, { at: this.momentOf(z), by: 'event' });
    if (!this.forbids(open, path, z, z)) this.match(path, this.momentOf(z));
  }

  private finishLater(open: readonly Item[], path: readonly Taken[]): void {
    const x = path.at(-1)!.index;
    const last = open.at(-1)!;
    const isAbsence = last.kind === 'absent';
    const deadline = isAbsence
      ? this.base(open, path)
      : Math.min(
          this.events[path[0]!.index]!.time + this.within,
          this.events[x]!.time + (last as Extract<Item, { kind: 'not' }>).withinPrevious,
        );
    for (let z = x + 1; z < this.events.length && (isAbsence ? this.events[z]!.time <= deadline : this.events[z]!.time < deadline); z++) {
      if (this.forbids(open, path, z, x + 1)) return this.note(path, { at: this.momentOf(z), by: 'confirmation' });
    }
    const at: Moment = [deadline, isAbsence ? 2 : 0, 0];
    this.note(path, { at, by: 'confirmation' });
    this.match(path, at);
  }

  private match(path: readonly Taken[], at: Moment): void {
    this.matches.set(text(path), { path, at });
  }

  private note(path: readonly Taken[], end: End): void {
    const key = text(path);
    const known = this.waits.get(key) ?? { path, ends: [] };
    known.ends.push(end);
    this.waits.set(key, known);
  }
}

function lastOf(ends: readonly End[]): End | undefined {
  let last: End | undefined;
  for (const end of ends) if (last === undefined || !before(end.at, last.at)) last = end;
  return last;
}

/** A strategy after a match: matches in the order of their starts, held back while an earlier partial match lives. */
function strategic(search: Search, sequence: PatternNode['sequence'], strategy: AfterMatchNode): Found[] {
  const order = JSON.stringify(sequence);
  const rank = (step: string): number => order.indexOf(`"name":"${step}"`);
  const matches = search.found();
  const lives = search.lives();
  const moments = [...matches.map(({ at }) => at), ...lives.map(({ ended }) => ended)]
    .filter(([time]) => time !== Infinity)
    .toSorted((a, b) => (before(a, b) ? -1 : 1));
  const isPruned: ((start: number, born: Moment) => boolean)[] = [];
  const pruned = (path: readonly Taken[]): boolean => isPruned.some((drops) => drops(path[0]!.index, [0, 0, 0]));
  const given: Found[] = [];
  let waiting = matches;
  for (const now of moments) {
    for (;;) {
      const ready = waiting.filter(({ path, at }) => !before(now, at) && !pruned(path)).toSorted((a, b) => inOrder(a.path, b.path, rank));
      const [next] = ready;
      if (next === undefined) break;
      const start = next.path[0]!.index;
      if (lives.some(({ path, born, ended }) => path[0]!.index < start && !before(now, born) && before(now, ended) && !pruned(path))) break;
      given.push({ path: next.path, at: now });
      waiting = waiting.filter((each) => each !== next);
      const bound = boundOf(strategy, next.path);
      isPruned.push((index) => index < bound);
    }
  }
  return given;
}

/** Starts before this one are dropped. */
function boundOf(strategy: AfterMatchNode, path: readonly Taken[]): number {
  switch (strategy.skip) {
    case 'none':
      return -1;
    case 'toNext':
      return path[0]!.index + 1;
    case 'pastLast':
      return path.at(-1)!.index + 1;
    case 'toFirst':
      return path.find(({ step }) => step === strategy.step)?.index ?? -1;
    case 'toLast':
      return path.findLast(({ step }) => step === strategy.step)?.index ?? -1;
  }
}

function inOrder(a: readonly Taken[], b: readonly Taken[], rank: (step: string) => number): number {
  if (a[0]!.index !== b[0]!.index) return a[0]!.index - b[0]!.index;
  if (a.length !== b.length) return b.length - a.length;
  for (const [i, { index }] of a.entries()) if (index !== b[i]!.index) return index - b[i]!.index;
  for (const [i, { step }] of a.entries()) if (step !== b[i]!.step) return rank(step) - rank(b[i]!.step);
  return 0;
}
