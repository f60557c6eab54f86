import {
  continuousEventTime,
  countEvictor,
  countTrigger,
  deltaEvictor,
  type Evictor,
  eventTimeTrigger,
  globalWindow,
  purging,
  session,
  sliding,
  timeEvictor,
  type Trigger,
  tumbling,
  type WindowAssigner,
  type WindowDomain,
} from '../src/index.ts';
import { alignedWindows } from '../src/time/alignedWindows.ts';
import type { Config } from './table.ts';
import { ms } from './times.ts';

/** What scripts of windows push. */
export interface KeyedValue {
  readonly key: string;
  readonly value: number;
}

/** The assigner that a table describes. */
export function assignerOf(config: Config): WindowAssigner<KeyedValue> {
  const type = String(config['type']);
  const domain: WindowDomain = type.endsWith('ProcessingTime') ? 'processingTime' : 'eventTime';
  const offset = config['offset'] === undefined ? {} : { offset: ms(config['offset']) };
  switch (type) {
    case 'tumblingEventTime':
    case 'tumblingProcessingTime':
      return config['sqlOffsetAnySize'] === true ? tumblingOfAnyOffset(config) : tumbling(ms(config['size']), { domain, ...offset });
    case 'slidingEventTime':
    case 'slidingProcessingTime':
      return sliding(ms(config['size']), { every: ms(config['slide']), domain, ...offset });
    case 'sessionEventTime':
    case 'sessionProcessingTime':
      return sessionOf(config, domain);
    case 'global':
      return globalWindow({ fireAtEnd: config['endOfStream'] === true });
    default:
      throw new Error(`There is no assigner "${type}".`);
  }
}

/** SQL lets an offset be larger than the window; `tumbling` takes that for a mistake. */
function tumblingOfAnyOffset(config: Config): WindowAssigner<KeyedValue> {
  const size = Number(config['size']);
  return alignedWindows({ name: 'tumbling', size, slide: size, offset: Number(config['offset'] ?? 0), domain: 'eventTime' });
}

function sessionOf({ gap, dynamicGap, pointWhenValue }: Config, domain: WindowDomain): WindowAssigner<KeyedValue> {
  if (dynamicGap !== undefined) {
    const gaps = dynamicGap as Readonly<Record<string, Readonly<Record<string, number>>>>;
    return session(({ key, value }: KeyedValue) => ms(gaps[key]![value] ?? gaps[key]!['default']), { domain });
  }
  const sessions = session(ms(gap), { domain });
  if (pointWhenValue === undefined) return sessions;
  const assign: WindowAssigner<KeyedValue>['assign'] = (value, at, now) =>
    value.value === pointWhenValue ? [{ start: at, end: at }] : sessions.assign(value, at, now);
  return { ...sessions, assign };
}

/** The trigger that a table describes; `undefined` for the assigner's own. */
export function triggerOf(config: unknown): Trigger<unknown> | undefined {
  if (config === undefined || config === 'default') return undefined;
  const { type, of, n, interval } = config as Config;
  switch (type) {
    case 'count':
      return countTrigger(Number(n));
    case 'eventTime':
      return eventTimeTrigger();
    case 'continuousEventTime':
      return continuousEventTime(ms(interval));
    case 'purging':
      return purging(triggerOf(of)!);
    default:
      throw new Error(`There is no trigger "${String(type)}".`);
  }
}

/** The evictor that a table describes; `undefined` for none. */
export function evictorOf(config: unknown): Evictor<KeyedValue> | undefined {
  if (config === undefined) return undefined;
  const { type, n, size, threshold, delta, after } = config as Config;
  const options = { when: after === true ? 'after' : 'before' } as const;
  if (type === 'count') return countEvictor(Number(n), options);
  if (type === 'time') return timeEvictor(ms(size), options);
  if (type !== 'delta' || delta !== 'new-old') throw new Error(`There is no evictor "${String(type)}".`);
  return deltaEvictor({ threshold: Number(threshold), delta: (from: KeyedValue, to: KeyedValue) => to.value - from.value, ...options });
}
