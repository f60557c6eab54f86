import { MillraceError } from '../errors/millraceError.ts';
import type { Clock } from '../time/clock.ts';
import type { CheckpointStorage } from './storage.ts';

const NAME = 'lease.json';

/** What the lease of a location says. */
export interface LeaseRecord {
  readonly epoch: number;
  readonly owner: string;
  /** Processing time in ms after which the owner no longer counts, unless it has renewed. */
  readonly until: number;
  /** The checkpoint that was gone on from last: what an older epoch completes after it is refused. */
  readonly base: number | null;
  /** The epoch that chose `base`; missing where it is this one. One that ended before it had chosen leaves what it found. */
  readonly chosenBy?: number;
  /** Names the life of the location, from its first lease on. Missing where an older version wrote it. */
  readonly lineage?: string;
}

/** Where an epoch went on from: of checkpoints of older epochs, those after `base` do not count. */
export interface LeaseChoice {
  readonly epoch: number;
  readonly base: number | null;
}

function choiceOf(record: LeaseRecord | undefined): LeaseChoice | undefined {
  return record === undefined ? undefined : { epoch: record.chosenBy ?? record.epoch, base: record.base };
}

/** Two locations may begin their lives in the same process and millisecond. */
let begun = 0;

/** Who asks for a lease, and how to find out that an owner is gone without waiting for its lease to run out. */
export interface LeaseOptions {
  /** Differs between any two processes. */
  readonly owner: string;
  /** How long the lease lives without being renewed, in ms. */
  readonly duration: number;
  readonly clock: Clock;
  /** True when it is certain that the owner cannot write any more. Default: never certain. */
  readonly isGone?: (owner: string) => boolean;
}

/** Held by somebody else, who may still be at work. */
function isHeld(record: LeaseRecord, { owner, clock, isGone }: LeaseOptions): boolean {
  return record.until > clock.now() && record.owner !== owner && isGone?.(record.owner) !== true;
}

/**
 * The right to write to a checkpoint location. It has one owner at a time, and an epoch that grows with every change of owner: what an
 * older epoch writes or commits is refused. The owner renews it; one that was stopped finds out before its next write.
 */
export class Lease {
  readonly epoch: number;
  /** Names the life of the location: epochs can be compared where it is the same. */
  readonly lineage: string;
  /** What the epoch before this one knew: which checkpoints count. */
  readonly previous: LeaseChoice | undefined;
  private readonly storage: CheckpointStorage;
  private readonly options: LeaseOptions;
  private token: string;
  private choice: LeaseChoice;
  private lost = false;
  /** One thing at a time: a check that overlaps a renewal would find a token that is not known yet. */
  private working: Promise<unknown> = Promise.resolve();

  private constructor(
    storage: CheckpointStorage,
    options: LeaseOptions,
    token: string,
    previous: LeaseRecord | undefined,
    lineage: string,
  ) {
    this.storage = storage;
    this.options = options;
    this.token = token;
    this.previous = choiceOf(previous);
    this.epoch = (previous?.epoch ?? 0) + 1;
    // Until it has chosen where to go on, the new epoch keeps what the one before knew.
    this.choice = this.previous ?? { epoch: this.epoch, base: null };
    this.lineage = lineage;
  }

  /** Takes the lease if it is free, has run out, or its owner is gone. `undefined` when somebody else holds it. */
  static async acquire(storage: CheckpointStorage, options: LeaseOptions): Promise<Lease | undefined> {
    const { owner, clock, duration } = options;
    const found = await storage.readToken(NAME);
    const record = found === undefined ? undefined : parse(found.content);
    if (record !== undefined && isHeld(record, options)) return undefined;
    const epoch = (record?.epoch ?? 0) + 1;
    const lineage = record?.lineage ?? `${owner} ${clock.now()} ${++begun}`;
    const { base, epoch: chosenBy } = choiceOf(record) ?? { epoch, base: null };
    const token = await storage.writeIf(
      NAME,
      encode({ epoch, owner, until: clock.now() + duration, base, chosenBy, lineage }),
      found?.token,
    );
    return token === undefined ? undefined : new Lease(storage, options, token, record, lineage);
  }

  /** Who holds or held the lease last, until when (processing time in ms), and which checkpoint of an older epoch is the last that counts. */
  static async holder(storage: CheckpointStorage): Promise<LeaseRecord | undefined> {
    const found = await storage.readToken(NAME);
    return found === undefined ? undefined : parse(found.content);
  }

  /**
   * Prolongs the lease.
   *
   * @throws MillraceError `checkpoint/fenced` when somebody else has taken it.
   */
  async renew(): Promise<void> {
    await this.replace(this.options.clock.now() + this.options.duration);
  }

  /** Which checkpoints of the location count, for who only looks. */
  static async choice(storage: CheckpointStorage): Promise<LeaseChoice | undefined> {
    return choiceOf(await Lease.holder(storage));
  }

  /** Fixes the checkpoint that this epoch goes on from. */
  async startFrom(base: number | null): Promise<void> {
    this.choice = { epoch: this.epoch, base };
    await this.renew();
  }

  /**
   * Makes sure that the lease is still held, just before something is made visible.
   *
   * @throws MillraceError `checkpoint/fenced`
   */
  check(): Promise<void> {
    return this.inTurn(async () => {
      const token = this.lost ? undefined : await this.ownToken();
      if (token === undefined) throw this.fenced();
      this.token = token;
    });
  }

  /** Gives the lease up, so that the next owner need not wait for its end. */
  async release(): Promise<void> {
    if (this.lost) return;
    await this.replace(0).catch(() => undefined);
    this.lost = true;
  }

  private replace(until: number): Promise<void> {
    return this.inTurn(async () => {
      const token = this.lost ? undefined : ((await this.write(until)) ?? (await this.ownToken()));
      if (token === undefined) {
        this.lost = true;
        throw this.fenced();
      }
      this.token = token;
    });
  }

  private write(until: number): Promise<string | undefined> {
    const { epoch, choice, token, options, lineage } = this;
    const { base, epoch: chosenBy } = choice;
    return this.storage.writeIf(NAME, encode({ epoch, owner: options.owner, until, base, chosenBy, lineage }), token);
  }

  /** A renewal that seemed to fail may have been written all the same: then nobody else has, and it is this one's. */
  private async ownToken(): Promise<string | undefined> {
    const found = await this.storage.readToken(NAME);
    if (found === undefined) return undefined;
    if (found.token === this.token) return found.token;
    const { owner, epoch } = parse(found.content);
    return owner === this.options.owner && epoch === this.epoch ? found.token : undefined;
  }

  private inTurn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.working.then(work);
    this.working = result.catch(() => undefined);
    return result;
  }

  private fenced(): MillraceError {
    return new MillraceError('checkpoint/fenced', `Another process has taken over ${this.storage.location} from epoch ${this.epoch}.`, {
      remedy: 'Nothing is lost: the other one goes on from the latest checkpoint. Start a second instance with --standby.',
    });
  }
}

function encode(record: LeaseRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** A lease that cannot be read counts as run out: its epoch then comes from the newest manifest, which `acquire`'s caller compares. */
function parse(content: Uint8Array): LeaseRecord {
  try {
    return JSON.parse(new TextDecoder().decode(content)) as LeaseRecord;
  } catch {
    return { epoch: 0, owner: '', until: 0, base: null };
  }
}
