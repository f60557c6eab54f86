import { type DataStream, MAX_TIMESTAMP, MIN_TIMESTAMP } from '@millrace/core';
import { type Harness, harness } from '@millrace/core/testing';
import { detect, type Matched } from '../src/index.ts';
import type { Outcome } from './outcome.ts';
import { idsOf } from './patternCases.ts';
import { patternOf } from './patterns.ts';
import type { OperatorCase, OperatorOutput, TableEvent, TableMatch, TableTime } from './table.ts';

interface Inputs {
  readonly events: TableEvent;
}
interface Outputs {
  readonly matches: TableMatch;
  readonly timedOut: Partial<Matched>;
  readonly late: TableEvent;
}

/** A case through the keyed operator: watermarks, the clock, snapshots. Flink stamps what time has decided with the watermark. */
export function runOperatorCase(given: OperatorCase): Outcome {
  const run = new OperatorRun(given);
  for (const op of given.ops) run.take(op);
  return {
    expected: { output: segments(given.expectedOutput), late: given.expectedLate ?? [] },
    actual: { output: segments(run.output), late: run.late },
  };
}

class OperatorRun {
  readonly output: OperatorOutput[] = [];
  readonly late: string[] = [];
  private readonly given: OperatorCase;
  private readonly hasTimestamps: boolean;
  private readonly hasTimeouts: boolean;
  private now = 0;
  private current: Harness<Inputs, Outputs>;

  constructor(given: OperatorCase) {
    this.given = given;
    this.hasTimestamps = given.expectedOutput.some((each) => 'ts' in each);
    this.hasTimeouts = given.timeoutHandling === true;
    this.current = harness(this.pipeline);
  }

  take(op: OperatorCase['ops'][number]): void {
    if ('snapshotRestore' in op) this.current = harness(this.pipeline, { restore: this.current.snapshot(), startAt: this.now });
    else if ('watermark' in op) this.current.watermark(timeOf(op.watermark));
    else if ('processingTime' in op) this.current.processingTime((this.now = timeOf(op.processingTime)));
    else this.push(this.given.events.find(({ id }) => id === op.event)!);
    this.gather();
    if ('watermark' in op) this.output.push({ watermark: op.watermark });
  }

  private readonly pipeline = ({
    events,
  }: {
    readonly events: DataStream<TableEvent>;
  }): { readonly [N in keyof Outputs]: DataStream<Outputs[N]> } => {
    const { pattern, timeMode, keyBy = 'key', comparator } = this.given;
    const detected = events
      .keyBy((event) => String(event[keyBy as 'key']))
      .pipe(
        detect(patternOf(pattern), (match) => idsOf(match), {
          uid: 'detect',
          compat: 'flink',
          time: timeMode === 'event' ? 'eventTime' : 'processingTime',
          ...(comparator !== undefined && { compare: comparison(comparator) }),
        }),
      );
    return { matches: detected, timedOut: detected.side('timedOut'), late: detected.side('late') };
  };

  private push(event: TableEvent): void {
    this.current.push('events', event, ...(event.ts === undefined ? [] : [event.ts]));
  }

  private gather(): void {
    for (const { value, timestamp } of this.current.drainTimed('matches')) this.output.push({ match: value, ...this.stamp(timestamp) });
    for (const { value, timestamp } of this.current.drainTimed('timedOut'))
      if (this.hasTimeouts) this.output.push({ timeout: idsOf(value as Matched), ...this.stamp(timestamp) });
    for (const { id } of this.current.drain('late')) this.late.push(id);
  }

  private stamp(timestamp: number | undefined): { readonly ts?: TableTime } {
    if (!this.hasTimestamps || timestamp === undefined) return {};
    return { ts: timestamp === MAX_TIMESTAMP ? 'MAX' : timestamp === MIN_TIMESTAMP ? 'MIN' : timestamp };
  }
}

function timeOf(time: TableTime): number {
  return time === 'MAX' ? MAX_TIMESTAMP : time === 'MIN' ? MIN_TIMESTAMP : time;
}

/** How events of one time are ordered: by a field, or by several. */
function comparison(comparator: unknown): (a: TableEvent, b: TableEvent) => number {
  const text = JSON.stringify(comparator);
  const field = (['price', 'name', 'id', 'volume'] as const).find((each) => text.includes(each)) ?? 'price';
  const sign = /desc/i.test(text) ? -1 : 1;
  return (a, b) => sign * (a[field]! < b[field]! ? -1 : a[field]! > b[field]! ? 1 : 0);
}

/** What has one cause has no order: what stands between two watermarks is sorted. */
function segments(outputs: readonly OperatorOutput[]): string[] {
  const result: string[] = [];
  let segment: string[] = [];
  for (const each of outputs) {
    if ('watermark' in each) {
      result.push(...segment.toSorted(), `watermark ${each.watermark}`);
      segment = [];
    } else segment.push(textOf(each));
  }
  return [...result, ...segment.toSorted()];
}

function textOf(output: Exclude<OperatorOutput, { readonly watermark: TableTime }>): string {
  const [kind, match] = 'match' in output ? ['match', output.match] : ['timeout', output.timeout];
  const steps = Object.keys(match)
    .toSorted()
    .map((step) => `${step}=${match[step]!.join(',')}`);
  return `${kind} ${steps.join(' ')} ${output.ts ?? ''}`;
}
