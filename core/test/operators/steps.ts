import fc from 'fast-check';
import { fromArray, type DataStream, StreamEnvironment } from '../../src/index.ts';
import type { Emission, Harness, Snapshot } from '../../src/testing.ts';
import type { StateEntry } from '../../src/state/backend.ts';
import type { OperatorStateEntry } from '../../src/state/operatorState.ts';
import { decodeSelfContained } from '../../src/state/selfContained.ts';

/** An element that says where and when it belongs. */
export interface Event {
  readonly side: 'left' | 'right';
  readonly key: string;
  readonly at: number;
  readonly id: number;
}

/** One step of a script: an element, or a watermark for both inputs. */
export type Step = Event | number;

export interface Sides {
  readonly left: Event;
  readonly right: Event;
}

/** Random scripts: times in a small range so that they meet, watermarks in between, so that some come late. */
export function scripts(options: { readonly steps: number; readonly times?: number; readonly watermarks?: boolean }): fc.Arbitrary<Step[]> {
  const { steps, times = 12, watermarks = true } = options;
  const event = fc.record({
    side: fc.constantFrom('left' as const, 'right' as const),
    key: fc.constantFrom('a', 'b'),
    at: fc.integer({ min: -times / 2, max: times / 2 }),
  });
  const step = watermarks ? fc.oneof({ weight: 4, arbitrary: event }, fc.integer({ min: -times / 2, max: times / 2 })) : event;
  return fc.array(step, { maxLength: steps, size: 'max' }).map((drawn) => drawn.map((s, id) => (typeof s === 'number' ? s : { ...s, id })));
}

/** Plays a script, and ends both inputs. */
export function play<O>(h: Harness<Sides, O>, script: readonly Step[]): void {
  let watermark = Number.MIN_SAFE_INTEGER;
  for (const step of script) {
    if (typeof step === 'number') h.watermark((watermark = Math.max(watermark, step)));
    else h.push(step.side, step, step.at);
  }
  h.end();
}

/** For each event of a script, the watermark that stood when it came. */
export function withWatermarks(script: readonly Step[]): (Event & { readonly watermark: number })[] {
  let watermark = Number.MIN_SAFE_INTEGER;
  return script.flatMap((step) => {
    if (typeof step !== 'number') return [{ ...step, watermark }];
    watermark = Math.max(watermark, step);
    return [];
  });
}

/** Both sides as sources in time order. */
export function sources(
  env: StreamEnvironment,
  events: readonly Event[],
): { readonly left: DataStream<Event>; readonly right: DataStream<Event> } {
  const inOrder = [...events].sort((a, b) => a.at - b.at);
  const source = (side: Event['side']): DataStream<Event> =>
    env.from(fromArray(inOrder.filter((event) => event.side === side)), { uid: side, time: { timestamp: ({ at }) => at } });
  return { left: source('left'), right: source('right') };
}

/** The results of a job in each mode, as multisets. */
export async function inBothModes<R>(
  events: readonly Event[],
  pipeline: (sides: ReturnType<typeof sources>) => DataStream<R>,
  parallelism = 1,
): Promise<Record<'streaming' | 'batch', string[]>> {
  const run = async (mode: 'streaming' | 'batch'): Promise<string[]> => {
    const env = new StreamEnvironment({ mode, parallelism });
    return (await pipeline(sources(env, events)).collect()).map((result) => JSON.stringify(result)).sort();
  };
  return { streaming: await run('streaming'), batch: await run('batch') };
}

export function emissions<T>(timed: readonly Emission<T>[]): (readonly [T, number | undefined])[] {
  return timed.map(({ value, timestamp }) => [value, timestamp] as const);
}

interface StoredLink {
  readonly uid: string;
  readonly keyed: readonly StateEntry[];
  readonly own: readonly StateEntry[];
  readonly operator: readonly OperatorStateEntry[];
}

/** What a snapshot holds of the operator with a uid. */
export function storedState(
  { bytes }: Snapshot,
  uid: string,
): { readonly keyed: readonly StateEntry[]; readonly operator: readonly OperatorStateEntry[] } {
  const tasks = decodeSelfContained(bytes) as readonly { readonly links: readonly StoredLink[] }[];
  const links = tasks.flatMap((task) => task.links.filter((link) => link.uid === uid));
  return { keyed: links.flatMap(({ keyed, own }) => [...keyed, ...own]), operator: links.flatMap(({ operator }) => operator) };
}
