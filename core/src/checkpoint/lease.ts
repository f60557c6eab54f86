import { MillraceError } from '../errors/millraceError.ts';
import type { Clock } from '../time/clock.ts';
import type { CheckpointStorage } from './storage.ts';

const NAME = 'lease.json';

interface LeaseRecord {
  readonly epoch: number;
  readonly owner: string;
  /** Processing time in ms after which the owner no longer counts, unless it has renewed. */
  readonly until: number;
  /** The checkpoint that this epoch went on from: what an older epoch completes after it is refused. */
  readonly base: number | null;
}

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

/**
 * The right to write to a checkpoint location. It has one owner at a time, and an epoch that grows with every change of owner: what an
 * older epoch writes or commits is refused. The owner renews it; one that was stopped finds out before its next write.
 */
export class Lease {
  readonly epoch: number;
  /** What the epoch before this one knew: which checkpoints count. */
  readonly previous: { readonly epoch: number; readonly base: number | null } | undefined;
  private readonly storage: CheckpointStorage;
  private readonly options: LeaseOptions;
  private token: string;
  private base: number | null = null;
  private lost = false;

  private constructor(storage: CheckpointStorage, options: LeaseOptions, token: string, previous: LeaseRecord | undefined) {
    this.storage = storage;
    this.options = options;
    this.token = token;
    this.previous = previous;
    this.epoch = (previous?.epoch ?? 0) + 1;
  }

  /** Takes the lease if it is free, has run out, or its owner is gone. `undefined` when somebody else holds it. */
  static async acquire(storage: CheckpointStorage, options: LeaseOptions): Promise<Lease | undefined> {
    const { owner, clock, duration, isGone } = options;
    const found = await storage.readToken(NAME);
    const record = found === undefined ? undefined : parse(found.content);
    if (record !== undefined && record.until > clock.now() && record.owner !== owner && isGone?.(record.owner) !== true) return undefined;
    const epoch = (record?.epoch ?? 0) + 1;
    // Until it has chosen where to go on, the new epoch keeps what the one before knew.
    const token = await storage.writeIf(NAME, encode({ epoch, owner, until: clock.now() + duration, base: record?.base ?? null }), found?.token);
    return token === undefined ? undefined : new Lease(storage, options, token, record);
  }

  /** Who holds the lease now, and until when (processing time in ms). */
  static async holder(storage: CheckpointStorage): Promise<{ readonly owner: string; readonly until: number; readonly epoch: number } | undefined> {
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

  /** Fixes the checkpoint that this epoch goes on from. */
  async startFrom(base: number | null): Promise<void> {
    this.base = base;
    await this.renew();
  }

  /**
   * Makes sure that the lease is still held, just before something is made visible.
   *
   * @throws MillraceError `checkpoint/fenced`
   */
  async check(): Promise<void> {
    if (!this.lost && (await this.storage.readToken(NAME))?.token === this.token) return;
    throw this.fenced();
  }

  /** Gives the lease up, so that the next owner need not wait for its end. */
  async release(): Promise<void> {
    if (this.lost) return;
    await this.replace(0).catch(() => undefined);
    this.lost = true;
  }

  private async replace(until: number): Promise<void> {
    const token = this.lost ? undefined : await this.storage.writeIf(NAME, encode({ epoch: this.epoch, owner: this.options.owner, until, base: this.base }), this.token);
    if (token === undefined) {
      this.lost = true;
      throw this.fenced();
    }
    this.token = token;
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
