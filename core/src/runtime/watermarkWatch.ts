import { MillraceError } from '../errors/millraceError.ts';
import type { Logger } from '../operators/logger.ts';
import type { Clock } from '../time/clock.ts';
import { formatDuration } from '../time/duration.ts';
import { formatTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { SplitTime } from './sourceFeed.ts';

/** One subtask of a source with event time, as the watch sees it. */
export interface WatchedSource {
  readonly uid: string;
  /** The time that it gives out. */
  readonly watermark: Timestamp;
  /** Says nothing at the moment, and so holds nobody back. */
  readonly idle: boolean;
  readonly isOver: boolean;
  /** Elements taken so far. */
  readonly records: number;
  splitTimes(): readonly SplitTime[];
}

/** How often the watch looks, and how long a watermark may stand while elements arrive, in ms. Together less than 30 s. */
const LOOK_EVERY = 5_000;
const STANDS_FOR = 20_000;
/** Where nobody else is ahead, so many elements must have come without moving time: a few out of order are no news. */
const MANY = 100;

interface Watched {
  readonly source: WatchedSource;
  watermark: Timestamp;
  /** When the watermark was last seen to move, and how many elements there were then, here and in all sources. */
  since: Timestamp;
  recordsThen: number;
  arrivedThen: number;
  reported: boolean;
}

/** Looks whether the time of a job stands still while elements arrive, and says which source and split holds it back. */
export class WatermarkWatch {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly watched: readonly Watched[];
  private cancelLook: (() => void) | undefined;
  private arrivedAtLook = 0;
  private closed = false;

  constructor(sources: readonly WatchedSource[], clock: Clock, logger: Logger) {
    this.clock = clock;
    this.logger = logger;
    const since = clock.now();
    this.watched = sources.map((source) => ({
      source,
      watermark: source.watermark,
      since,
      recordsThen: 0,
      arrivedThen: 0,
      reported: false,
    }));
  }

  /** Elements have arrived. Where none do, nothing is looked at and no timer runs. */
  touch(): void {
    if (this.cancelLook === undefined && !this.closed) this.plan();
  }

  close(): void {
    this.closed = true;
    this.cancelLook?.();
  }

  private plan(): void {
    this.cancelLook = this.clock.schedule(this.clock.now() + LOOK_EVERY, () => this.look());
  }

  private look(): void {
    this.cancelLook = undefined;
    const now = this.clock.now();
    const arrived = this.watched.reduce((sum, { source }) => sum + source.records, 0);
    const suspects = this.watched.filter((each) => this.isSuspect(each, now, arrived));
    for (const each of suspects) {
      if (now - each.since < STANDS_FOR) continue;
      each.reported = true;
      this.report(each, now);
    }
    if (suspects.some(({ reported }) => !reported) || arrived > this.arrivedAtLook) this.plan();
    this.arrivedAtLook = arrived;
  }

  /** Whether elements have come since time last moved here, and nothing was said about it yet. */
  private isSuspect(each: Watched, now: Timestamp, arrived: number): boolean {
    const { source } = each;
    const { watermark, records } = source;
    if (watermark !== each.watermark || source.idle || source.isOver) {
      Object.assign(each, { watermark, since: now, recordsThen: records, arrivedThen: arrived, reported: false });
      return false;
    }
    if (each.reported || arrived === each.arrivedThen || holder(source)?.held === true) return false;
    return this.furthest(source).watermark > watermark || records - each.recordsThen >= MANY;
  }

  private report({ source, since, recordsThen }: Watched, now: Timestamp): void {
    const { uid, watermark } = source;
    const split = holder(source)?.split;
    const furthest = this.furthest(source);
    const { problem, remedy } = explain({ source, split, furthest, now, records: source.records - recordsThen });
    const stood = formatDuration(now - since);
    const { message, code } = new MillraceError('watermark/stalled', `${clockText(watermark)} for ${stood}${problem}`, { uid, remedy });
    const behind = watermark === MIN_TIMESTAMP ? null : Math.max(0, furthest.watermark - watermark);
    this.logger.warn(message, { code, uid, split: split ?? null, watermark: watermark === MIN_TIMESTAMP ? null : watermark, behind });
  }

  /** The clock that is furthest on, of the other sources' and of this one's splits. */
  private furthest(than: WatchedSource): { readonly name: string; readonly watermark: Timestamp } {
    let furthest = { name: '', watermark: MIN_TIMESTAMP };
    const note = (name: string, watermark: Timestamp): void => {
      if (watermark > furthest.watermark && watermark < MAX_TIMESTAMP) furthest = { name, watermark };
    };
    for (const { source } of this.watched) if (source !== than && !source.idle && !source.isOver) note(`"${source.uid}"`, source.watermark);
    for (const { split, watermark, idle } of than.splitTimes()) if (!idle) note(`split "${split}"`, watermark);
    return furthest;
  }
}

/** The split that a source's time waits for. */
function holder(source: WatchedSource): SplitTime | undefined {
  const active = source.splitTimes().filter(({ idle }) => !idle);
  return active.reduce<SplitTime | undefined>(
    (least, each) => (least === undefined || each.watermark < least.watermark ? each : least),
    undefined,
  );
}

function explain(stall: {
  readonly source: WatchedSource;
  readonly split: string | undefined;
  readonly furthest: { readonly name: string; readonly watermark: Timestamp };
  readonly now: Timestamp;
  readonly records: number;
}): { readonly problem: string; readonly remedy: string } {
  const { source, split, furthest, now, records } = stall;
  const { watermark } = source;
  if (split === undefined) {
    return {
      problem: ': none of its splits is being read here, while elements arrive elsewhere.',
      remedy:
        'Give the source no more subtasks than it has splits (parallelism), or let it be idle: time: { …, idleAfter: { minutes: 1 } }.',
    };
  }
  if (furthest.watermark > watermark) {
    const behind = watermark === MIN_TIMESTAMP ? 'has given no time yet' : `is ${formatDuration(furthest.watermark - watermark)} behind`;
    return {
      problem: `: its split "${split}" ${behind}, while ${furthest.name} has come to ${formatTimestamp(furthest.watermark)}. Windows and timers wait for it.`,
      remedy: 'If it may fall silent, let it be idle: time: { …, idleAfter: { minutes: 1 } }.',
    };
  }
  const came = `, though ${records} elements came in its split "${split}"`;
  if (watermark > now) {
    return {
      problem: `${came}: it is ${formatDuration(watermark - now)} ahead of the clock, so an element came from the future and all others are late.`,
      remedy: 'Timestamps are milliseconds since the epoch; refuse those that lie in the future.',
    };
  }
  return { problem: `${came}: their timestamps do not rise.`, remedy: 'See that time.timestamp reads the right field, in milliseconds.' };
}

function clockText(watermark: Timestamp): string {
  return watermark === MIN_TIMESTAMP ? 'There has been no watermark' : `The watermark has stood at ${formatTimestamp(watermark)}`;
}
