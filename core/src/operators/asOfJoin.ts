import { valueState } from '../state/descriptor.ts';
import { checkElementTime } from '../time/elementTime.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import { EventQueue, queuesAsState } from './eventQueue.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** How an element meets the version of its key that was valid at its time. */
export interface AsOfJoin {
  /** How far the join's clock runs behind the watermark, in ms. */
  readonly wait: number;
  readonly select: (left: never, version: never) => unknown;
}

/** The version of a key that is valid now. */
interface Version {
  readonly since: Timestamp;
  readonly value: unknown;
}

/**
 * Joins each element of the left with the version of its key that was valid at its time: the last one at or before it. Both sides wait
 * until the join's clock, the watermark less `wait`, has reached them, and are then worked off in time order, so that a version is in
 * place before the elements from its time on; only one version per key is held behind the clock. Where there is a `wait` the join
 * gives out its own clock as the watermark, so that nothing after it takes the results for late.
 */
export function asOfJoinOperator(join: AsOfJoin): OperatorDefinition {
  return { outputs: ['late', 'lateVersions'], create: (context) => new AsOfJoinOperator(context, join) };
}

class AsOfJoinOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[];
  readonly ownsTime: boolean;
  readonly entries: Required<Operator>['entries'];
  readonly restoreEntry: Required<Operator>['restoreEntry'];
  private readonly context: OperatorContext;
  private readonly join: AsOfJoin;
  private readonly version;
  private readonly elements = new EventQueue<unknown>('elements');
  private readonly versions = new EventQueue<unknown>('versions');

  constructor(context: OperatorContext, join: AsOfJoin) {
    this.context = context;
    this.join = join;
    this.ownsTime = join.wait > 0;
    this.version = context.subtask.backend.open('version', valueState<Version>());
    const { entries, restoreEntry } = queuesAsState([this.elements, this.versions]);
    this.entries = entries;
    this.restoreEntry = restoreEntry;
    this.inputs = [(value) => this.acceptElement(value), (value) => this.acceptVersion(value)];
  }

  onWatermark(watermark: Timestamp): boolean {
    const { context, elements, versions } = this;
    const clock = this.clockAt(watermark);
    for (;;) {
      // Of one time the versions come first: what is valid from an element's time on is valid for it.
      if (versions.earliest <= elements.earliest) {
        if (versions.earliest > clock) break;
        this.takeVersion();
      } else {
        if (elements.earliest > clock) break;
        if (!context.hasCredit()) return false;
        this.takeElement();
      }
    }
    // In batch mode this is the clock of one key, and of no concern to anybody else.
    if (this.ownsTime && context.subtask.emission === 'rolling') context.advance(clock);
    return true;
  }

  /** The join's clock: what lies at or before it has been worked off. */
  private clockAt(watermark: Timestamp): Timestamp {
    if (watermark === MAX_TIMESTAMP) return watermark;
    return Math.max(watermark - this.join.wait, MIN_TIMESTAMP);
  }

  private acceptElement(value: unknown): void {
    const { context } = this;
    if (!this.isLate('late', value)) this.elements.add(context.time, context.key, value);
  }

  private acceptVersion(value: unknown): void {
    const { context, version } = this;
    const { time } = context;
    if (!this.isLate('lateVersions', value)) return this.versions.add(time, context.key, value);
    // Too late for elements that are gone, but not for those to come, unless a newer version is there.
    const valid = version.value();
    if (valid === undefined || valid.since <= time) version.update({ since: time, value });
  }

  private isLate(side: string, value: unknown): boolean {
    const { context } = this;
    checkElementTime(context.time, 'joinAsOf');
    if (context.time > this.clockAt(context.watermark)) return false;
    context.outputLate(side, value, context.time);
    return true;
  }

  private takeVersion(): void {
    const { versions } = this;
    versions.take();
    this.context.subtask.backend.enter(versions.key);
    this.version.update({ since: versions.time, value: versions.value });
  }

  private takeElement(): void {
    const { context, elements } = this;
    elements.take();
    const { key, time, value } = elements;
    context.subtask.backend.enter(key);
    let result: unknown;
    try {
      result = this.join.select(value as never, this.version.value()?.value as never);
    } catch (error) {
      return context.reject(error, value, time);
    }
    context.emit(result, time);
  }
}
