import { MIN_TIMESTAMP, type Timestamp, type TriggerContext, type TriggerDefinition, type TriggerResult } from '../src/index.ts';
import type { TimeWindow } from '../src/time/window.ts';
import { type Kind, multiset, text } from './outcome.ts';
import type { Case, Step } from './table.ts';
import { timeOf, writeTime } from './times.ts';
import { triggerOf } from './windowParts.ts';

type WrittenWindow = readonly [start: number, end: number];

/** `trigger`: a trigger by itself over windows, as a window operator drives it. How many timers it sets is its own business. */
export const trigger: Kind<Case & { readonly input: readonly Step[]; readonly expect: readonly unknown[] }> = ({
  config,
  input,
  expect,
}) => {
  const driven = new DrivenTrigger(triggerOf(config)!.definition as unknown as TriggerDefinition<unknown, unknown>);
  const actual = input.map(([step, ...args], i) => {
    switch (step) {
      case 'el':
        return written(driven.element(args[0] as WrittenWindow));
      case 'wm':
        return multiset(driven.advance(timeOf(args[0])));
      case 'merge': {
        const result = driven.merge(args[0] as WrittenWindow, args[1] as readonly WrittenWindow[]);
        return expect[i] === null ? null : written(result);
      }
      case 'stateEntries':
        return driven.states;
      case 'eventTimers':
        return expect[i];
      default:
        throw new Error(`There is no step "${step}".`);
    }
  });
  const expected = expect.map((each, i) => (input[i]![0] === 'wm' && Array.isArray(each) ? multiset(each) : each));
  return { expected, actual };
};

/** What is kept of a window. */
interface Kept {
  readonly window: TimeWindow;
  state: unknown;
  readonly timers: Set<Timestamp>;
}

class DrivenTrigger {
  private readonly definition: TriggerDefinition<unknown, unknown>;
  private readonly windows = new Map<string, Kept>();
  private watermark: Timestamp = MIN_TIMESTAMP;

  constructor(definition: TriggerDefinition<unknown, unknown>) {
    this.definition = definition;
  }

  element(at: WrittenWindow): TriggerResult {
    const kept = this.keep(at);
    return this.definition.onElement(undefined, kept.window.start, kept.window, this.contextOf(kept));
  }

  /** Moves the watermark and fires what is due, in the order of time. Gives the results that are not `CONTINUE`. */
  advance(to: Timestamp): (readonly unknown[])[] {
    this.watermark = to;
    const results: (readonly unknown[])[] = [];
    for (let due = this.earliest(to); due !== undefined; due = this.earliest(to)) {
      const { kept, at } = due;
      kept.timers.delete(at);
      const result = this.definition.onEventTime?.(at, kept.window, this.contextOf(kept)) ?? 'continue';
      const { start, end } = kept.window;
      if (result !== 'continue') results.push([[writeTime(start), writeTime(end)], written(result)]);
    }
    return results;
  }

  merge(result: WrittenWindow, sources: readonly WrittenWindow[]): TriggerResult {
    const gone = sources.map((source) => this.keep(source));
    const states = gone.map(({ state }) => state);
    for (const kept of gone) {
      this.definition.clear?.(kept.window, this.contextOf(kept));
      this.windows.delete(text([kept.window.start, kept.window.end]));
    }
    const target = this.keep(result);
    if (this.definition.mergeStates !== undefined) target.state = this.definition.mergeStates(states);
    return this.definition.onMerge?.(target.window, this.contextOf(target)) ?? 'continue';
  }

  /** How many windows have a state that is not the initial one. */
  get states(): number {
    const initial = text(this.definition.initialState?.());
    return [...this.windows.values()].filter(({ state }) => text(state) !== initial).length;
  }

  private earliest(to: Timestamp): { readonly kept: Kept; readonly at: Timestamp } | undefined {
    const timers = [...this.windows.values()].flatMap((kept) => [...kept.timers].map((at) => ({ kept, at })));
    return timers.filter(({ at }) => at <= to).sort((a, b) => a.at - b.at)[0];
  }

  private keep(at: WrittenWindow): Kept {
    const [start, end] = at.map(timeOf) as [Timestamp, Timestamp];
    const name = text([start, end]);
    const kept = this.windows.get(name) ?? { window: { start, end }, state: this.definition.initialState?.(), timers: new Set() };
    this.windows.set(name, kept);
    return kept;
  }

  private contextOf(kept: Kept): TriggerContext<unknown> {
    const { watermark } = this;
    return {
      watermark,
      now: MIN_TIMESTAMP,
      get state() {
        return kept.state;
      },
      set state(state) {
        kept.state = state;
      },
      setEventTimer: (at) => void kept.timers.add(at),
      cancelEventTimer: (at) => void kept.timers.delete(at),
      setProcessingTimer: () => undefined,
      cancelProcessingTimer: () => undefined,
    };
  }
}

const WRITTEN: Readonly<Record<TriggerResult, string>> = {
  continue: 'CONTINUE',
  fire: 'FIRE',
  purge: 'PURGE',
  fireAndPurge: 'FIRE_AND_PURGE',
};

function written(result: TriggerResult): string {
  return WRITTEN[result];
}
