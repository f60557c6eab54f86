/** What a barrier, or the end of a channel, has brought about. */
export interface Alignment {
  /** A checkpoint whose barrier has now come from every channel: take it. */
  readonly completed: number | undefined;
  /** An older checkpoint that will never be complete here, since a newer barrier came first. */
  readonly aborted: number | undefined;
}

const NOTHING: Alignment = { completed: undefined, aborted: undefined };

/**
 * Brings the barriers of a task's channels together. Exactly-once: a channel whose barrier has come is blocked until those of all
 * others have, so that the snapshot holds what came before the barriers and nothing else. At-least-once: nothing is blocked, and what
 * came after a barrier may be in the snapshot too.
 *
 * A newer barrier aborts an older alignment and unblocks its channels. A channel that has ended counts as aligned.
 */
export class BarrierAligner {
  private readonly exactlyOnce: boolean;
  private readonly reached: boolean[];
  private readonly ended: boolean[];
  private current: number | undefined;
  /** The newest checkpoint that is done with: completed here, or aborted. */
  private newest = -1;
  /** Newer ones that were given up before their barriers came; those before them may still be complete. */
  private readonly givenUp = new Set<number>();

  constructor(channels: number, exactlyOnce: boolean) {
    this.exactlyOnce = exactlyOnce;
    this.reached = Array.from({ length: channels }, () => false);
    this.ended = Array.from({ length: channels }, () => false);
  }

  /** Whether a channel must not be read. */
  isBlocked(channel: number): boolean {
    return this.exactlyOnce && this.current !== undefined && this.reached[channel]!;
  }

  /** The checkpoint whose barriers are being waited for. */
  get pending(): number | undefined {
    return this.current;
  }

  barrier(channel: number, checkpoint: number): Alignment {
    if (checkpoint <= this.newest || this.givenUp.has(checkpoint) || (this.current !== undefined && checkpoint < this.current))
      return NOTHING;
    let aborted: number | undefined;
    if (this.current !== undefined && checkpoint > this.current) {
      aborted = this.current;
      this.finish();
    }
    this.current = checkpoint;
    this.reached[channel] = true;
    return { completed: this.completeIfAligned(), aborted };
  }

  /** A channel has ended: no barrier will come from it any more. */
  end(channel: number): Alignment {
    this.ended[channel] = true;
    if (this.current === undefined) return NOTHING;
    return { completed: this.completeIfAligned(), aborted: undefined };
  }

  /** The coordinator has given a checkpoint up. */
  abort(checkpoint: number): void {
    if (this.current === checkpoint) this.finish();
    else if (checkpoint > this.newest) this.givenUp.add(checkpoint);
  }

  private completeIfAligned(): number | undefined {
    if (!this.reached.every((reached, channel) => reached || this.ended[channel]!)) return undefined;
    const completed = this.current;
    this.finish();
    return completed;
  }

  private finish(): void {
    this.newest = this.current!;
    for (const checkpoint of this.givenUp) if (checkpoint <= this.newest) this.givenUp.delete(checkpoint);
    this.current = undefined;
    this.reached.fill(false);
  }
}
