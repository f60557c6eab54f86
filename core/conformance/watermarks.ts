import type { Timestamp } from '../src/index.ts';
import type { CombinedWatermark } from '../src/time/combinedWatermark.ts';
import { IdlenessTimer } from '../src/time/idlenessTimer.ts';
import { ManualClock } from '../src/time/manualClock.ts';
import { createWatermarkGenerator } from '../src/time/watermarkGenerator.ts';
import { WatermarkMultiplexer } from '../src/time/watermarkMultiplexer.ts';
import { WatermarkValve } from '../src/time/watermarkValve.ts';
import type { Kind } from './outcome.ts';
import type { Case, Config, Step } from './table.ts';
import { ms, sameTime, timeOf, writeTime } from './times.ts';

type Script = Case & { readonly input: readonly Step[]; readonly expect: readonly unknown[] };

/** `valve`: the watermark and status of a task's channels. */
export const valve: Kind<Script> = ({ config, input, expect }) => {
  const driven = new WatermarkValve(Number(config['channels']));
  const actual = input.map(([step, channel, value]) => {
    if (step === 'wm') return outputsOf(driven.advance(channel as number, timeOf(value)), driven.output);
    if (step === 'status') return outputsOf(driven.setIdle(channel as number, value === 'IDLE'), driven.output);
    throw new Error(`There is no step "${step}".`);
  });
  return {
    actual,
    expected: expect.map((outputs) => (outputs as unknown[]).map((each) => (each === 'ACTIVE' || each === 'IDLE' ? each : sameTime(each)))),
  };
};

/** What is to be emitted, in its order. */
function outputsOf(isNew: boolean, { watermark, idle, advanced, statusChanged }: CombinedWatermark): readonly unknown[] {
  if (!isNew) return [];
  return [
    ...(statusChanged && !idle ? ['ACTIVE'] : []),
    ...(advanced ? [writeTime(watermark)] : []),
    ...(statusChanged && idle ? ['IDLE'] : []),
  ];
}

/** `multiplexer`: the watermark of a source out of those of its splits. */
export const multiplexer: Kind<Script> = ({ config, input, expect }) => {
  const splits = new WatermarkMultiplexer(config['mode'] === 'immediate' ? 'immediate' : 'periodic');
  let registered = 0;
  let last: Timestamp | undefined;
  let idle = false;
  const register = (split: unknown = registered): void => {
    splits.register(String(split));
    registered++;
  };
  const note = (isNew: boolean): void => {
    if (!isNew) return;
    if (splits.output.advanced) last = splits.output.watermark;
    ({ idle } = splits.output);
  };
  while (registered < Number(config['outputs'])) register();
  const actions: Readonly<Record<string, (split: unknown, at: unknown) => unknown>> = {
    emit: (split, at) => note(splits.advance(String(split), timeOf(at))),
    idle: (split) => note(splits.setIdle(String(split), true)),
    periodic: () => note(splits.combine()),
    remove: (split) => void splits.remove(String(split)),
    register: (split) => register(split),
    last: () => writeTime(last),
    isIdle: () => idle,
  };
  const actual = input.map(([step, split, at]) => {
    const action = actions[step];
    if (action === undefined) throw new Error(`There is no step "${step}".`);
    return action(split, at) ?? null;
  });
  return { actual, expected: expect.map((each) => (typeof each === 'boolean' ? each : sameTime(each))) };
};

/** `boundedOutOfOrderness`: the watermark after these timestamps. */
export const boundedOutOfOrderness: Kind<Case & { readonly input: readonly unknown[]; readonly expect: { readonly emit: unknown } }> = (
  given,
) => {
  const watermark = createWatermarkGenerator({ timestamp: (at: Timestamp) => at, outOfOrder: ms(given.config['bound']) });
  for (const at of given.input) watermark.onMaxTimestamp(timeOf(at));
  return { actual: { emit: writeTime(watermark.current()) }, expected: { ...given.expect, emit: sameTime(given.expect.emit) } };
};

/** `idlenessTimer`: when a split has gone silent. */
export const idlenessTimer: Kind<Script> = ({ config, input, expect }) => {
  const clock = new ManualClock();
  const timer = new IdlenessTimer(ms((config as Config)['timeout']), clock);
  const actual = input.map(([step, by]) => {
    if (step === 'check') return timer.check();
    if (step === 'activity') timer.activity();
    else if (step === 'advance') clock.advanceTo(clock.now() + Number(by));
    else throw new Error(`There is no step "${step}".`);
    return null;
  });
  return { actual, expected: expect };
};
