import { describeValue } from '../errors/describe.ts';
import { NO_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { EventTime, WatermarkGenerator } from '../time/watermark.ts';
import type { CodeSite } from './codeSite.ts';
import type { Rejected } from './connector.ts';
import type { Operator } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';
import { logRejection } from './rejectionLog.ts';

/**
 * The first operator of a source's chain: reads each element's time. Elements without a usable timestamp are rejected. The
 * source's feed sets `generator` to that of the split it reads, and takes the largest timestamp of each portion.
 */
export class SourceOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[] = [(value) => this.element(value)];
  /** One cell, typed, so that writing it per record allocates nothing. */
  readonly largest: Float64Array = new Float64Array([NO_TIMESTAMP]);
  /** Called when a punctuated watermark has moved. */
  generator: WatermarkGenerator<unknown> | undefined;
  private readonly context: OperatorContext;
  private readonly time: EventTime<unknown> | undefined;

  constructor(context: OperatorContext, time: EventTime<unknown> | undefined) {
    this.context = context;
    this.time = time;
  }

  /** The largest timestamp since it was asked for last. */
  takeLargest(): Timestamp {
    const [largest] = this.largest;
    this.largest[0] = NO_TIMESTAMP;
    return largest!;
  }

  /** What the source's reader has refused: it was read, and so it came in. */
  takeRejected(rejected: Rejected): void {
    this.context.metrics.received++;
    this.reject(rejected);
  }

  private reject(rejected: Rejected): void {
    const { place, code, reason } = rejected;
    this.context.outputRejected('rejected', code, rejected, NO_TIMESTAMP);
    if (!this.context.hasTaker('rejected')) logRejection(this.context.subtask, code, `${place} was rejected: ${reason}`);
  }

  inline(site: CodeSite): void {
    if (this.time === undefined) return site.emit(site.value, '-Infinity');
    const at = site.evaluate(`${site.bind(this.time.timestamp, 'timestamp')}(${site.value})`);
    const self = site.bind(this, 'source');
    site.block(`if (Number.isSafeInteger(${at}))`, () => {
      const largest = site.bind(this.largest, 'largest');
      site.statement(`if (${at} > ${largest}[0]) ${largest}[0] = ${at};`);
      site.emit(site.value, at);
      if (this.time?.punctuated !== undefined) site.evaluate(`${self}.punctuate(${site.value}, ${at})`);
    });
    site.statement(`else ${self}.refuse(${site.value}, ${at});`);
  }

  private element(value: unknown): void {
    if (this.time === undefined) return this.context.emit(value, NO_TIMESTAMP);
    const at = this.time.timestamp(value);
    if (!Number.isSafeInteger(at)) return this.refuse(value, at);
    if (at > this.largest[0]!) this.largest[0] = at;
    this.context.emit(value, at);
    if (this.time.punctuated !== undefined) this.punctuate(value, at);
  }

  /** Called by generated code. */
  punctuate(value: unknown, at: Timestamp): void {
    if (this.generator!.onElement!(value, at)) this.context.pause();
  }

  /** Called by generated code. */
  refuse(value: unknown, at: unknown): void {
    const { uid } = this.context.subtask;
    const shown = typeof at === 'number' ? String(at) : describeValue(at);
    this.reject({ place: uid, code: 'timestamp/invalid', reason: `Its timestamp is ${shown}, not an integer in ms.`, value });
  }
}
