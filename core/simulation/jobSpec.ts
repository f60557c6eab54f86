import { Chance } from './chance.ts';
import { FAMILIES } from './families.ts';
import type { Event } from './item.ts';
import { atEndSteps } from './steps/atEndSteps.ts';
import { joinSteps } from './steps/joinSteps.ts';
import { plainSteps } from './steps/plainSteps.ts';
import { stateSteps } from './steps/stateSteps.ts';
import { windowSteps } from './steps/windowSteps.ts';
import type { Step } from './flow.ts';

/** Steps of other packages. */
const FURTHER: Readonly<Record<string, Step>> = Object.assign({}, ...FAMILIES.map(({ steps }) => steps)) as Record<string, Step>;

/** Every step that a random job is made of. */
export const STEPS: Readonly<Record<string, Step>> = {
  ...plainSteps,
  ...windowSteps,
  ...joinSteps,
  ...stateSteps,
  ...atEndSteps,
  ...FURTHER,
};

/** How often each kind of step is drawn. */
const WEIGHTS: readonly (readonly [number, readonly string[]])[] = [
  [3, [...Object.keys(plainSteps), 'asyncMap', 'asyncMapAny', 'asyncMapAny']],
  [3, Object.keys(windowSteps)],
  [3, Object.keys(joinSteps)],
  [5, Object.keys(stateSteps)],
  [1, Object.keys(atEndSteps)],
];

/**
 * How a job is judged. `exact`: nothing is late, and no result depends on who is quicker, so the output is that of an undisturbed run.
 * `accounting`: channels race and elements are late, so each has to be found once, in a window or among the late. `atLeastOnce`: barriers
 * are not aligned, so each has to be found at least once.
 */
export type Judgement = 'exact' | 'accounting' | 'atLeastOnce';

/** A source of a random job, as data. */
export interface SourceSpec {
  readonly uid: string;
  /** Splits of each wave; those of the first are there from the beginning, the others are found while the job runs. */
  readonly waves: readonly number[];
  readonly perSplit: number;
  /** How many keys there are; of each split, where every split has its own. */
  readonly keys: number;
  readonly ownKeys: boolean;
  /** By how much, in ms, an element may lie behind those before it, and how much the watermark allows. */
  readonly disorder: number;
  readonly bound: number;
  /** Of so many elements one is refused; 0 for none. */
  readonly refuses: number;
  /** The next wave is looked for only when all splits of those before are read to their ends. */
  readonly waits: boolean;
  /** One subtask always. */
  readonly single: boolean;
  /** Splits of a subtask that are read at a time. */
  readonly concurrent: number;
}

export interface StepSpec {
  readonly step: string;
  readonly i: number;
  /** Of the streams so far, the one that the step is over, and another one. */
  readonly on: number;
  readonly other: number;
}

/** A random job, as data: what a seed stands for. */
export interface JobSpec {
  readonly seed: number;
  /** The seed of `context.random()`. */
  readonly randomSeed: number;
  readonly judgement: Judgement;
  readonly sources: readonly SourceSpec[];
  readonly steps: readonly StepSpec[];
  readonly maxParallelism: number;
  /** Each keyed operator has a number of subtasks of its own. */
  readonly uneven: boolean;
  /** How each sink keeps what is not committed. */
  readonly sinks: 'carried' | 'prepared' | 'continued';
  /** Some elements cannot be processed and go to the dead letters. */
  readonly poisons: boolean;
}

/** Of so many jobs one has steps of other packages. */
const FURTHER_EVERY = 3;

/** Length of a wave of splits, in ms of event time. */
const WAVE = 1000;

/** `without`: steps that are not to be drawn. */
export function drawJob(seed: number, without: readonly string[] = []): JobSpec {
  const chance = new Chance(seed);
  const judgement = chance.flip(0.72) ? 'exact' : chance.flip(0.65) ? 'accounting' : 'atLeastOnce';
  const count = judgement === 'exact' ? chance.between(1, 2) : 1;
  const sources = Array.from({ length: count }, (_, i) => drawSource(`source${i}`, judgement, chance));
  const steps = judgement === 'exact' ? Array.from({ length: chance.between(1, 5) }, () => drawStep(chance, without)) : [];
  // Numbers can be drawn only where all items come in the same order: while they do.
  if (steps.length > 0 && sources.at(-1)!.single && chance.flip(0.6)) steps.unshift({ step: 'random', i: 0, on: 0, other: 0 });
  if (steps.length > 0 && seed % FURTHER_EVERY === 0) addFurther(steps, new Chance(seed * 71 + 5));
  return {
    seed,
    randomSeed: seed,
    judgement,
    sources,
    steps,
    maxParallelism: chance.pick([4, 16, 128]),
    uneven: chance.flip(0.3),
    sinks: chance.pick(['carried', 'prepared', 'continued'] as const),
    poisons: judgement === 'exact' && chance.flip(0.25),
  };
}

function drawSource(uid: string, judgement: Judgement, chance: Chance): SourceSpec {
  const single = judgement === 'exact' && chance.flip(0.25);
  const waves = single ? [1] : Array.from({ length: chance.pick([1, 1, 2, 3]) }, () => chance.between(1, 3));
  const ownKeys = chance.flip(0.6);
  const disorder = 2 * chance.below(judgement === 'accounting' ? 120 : 30);
  return {
    uid,
    waves: judgement === 'atLeastOnce' ? [chance.between(2, 4)] : waves,
    // A barrier that is not waited for shows where much is under way.
    perSplit: chance.between(20, 70) * (judgement === 'atLeastOnce' ? 5 : 1),
    keys: chance.pick(judgement === 'accounting' ? [1, 2, 60] : ownKeys ? [1, 2, 5, 30] : [2, 7, 90]),
    ownKeys,
    disorder,
    bound: judgement === 'accounting' ? Math.floor(disorder / 5) : disorder,
    refuses: chance.flip(0.3) ? chance.between(5, 15) : 0,
    waits: chance.flip(0.5),
    single,
    concurrent: judgement === 'exact' ? Infinity : chance.pick([1, 2, Infinity]),
  };
}

function drawStep(chance: Chance, without: readonly string[]): StepSpec {
  const total = WEIGHTS.reduce((sum, [weight]) => sum + weight, 0);
  let at = chance.below(total);
  const [, names] = WEIGHTS.find(([weight]) => (at -= weight) < 0)!;
  const allowed = names.filter((name) => !without.includes(name));
  return {
    step: chance.pick(allowed),
    i: chance.below(6),
    on: chance.flip(0.75) ? 0 : chance.below(6),
    other: chance.below(6),
  };
}

/** Some jobs begin with steps of other packages: whatever there is of them, the other seeds stay what they are. */
function addFurther(steps: StepSpec[], chance: Chance): void {
  const names = Object.keys(FURTHER);
  if (names.length === 0) return;
  for (let count = chance.between(1, 2); count > 0; count--) {
    steps.unshift({ step: chance.pick(names), i: chance.below(6), on: chance.below(2), other: chance.below(3) });
  }
}

/** The splits of a source: wave and number. */
export function splitsOf({ waves }: SourceSpec): readonly (readonly string[])[] {
  return waves.map((count, wave) => Array.from({ length: count }, (_, i) => `${wave}-${i}`));
}

/** The events of a split, in the order in which they are read: always the same. */
export function eventsOf(source: SourceSpec, seed: number, split: string): readonly (Event & { readonly isRefused: boolean })[] {
  const [wave, number] = split.split('-').map(Number) as [number, number];
  const { perSplit, keys, ownKeys, disorder, refuses, uid } = source;
  const chance = new Chance(seed * 1009 + wave * 97 + number * 13 + Number(uid.at(-1)));
  // Those of a wave are behind all of the wave before, whatever their disorder.
  const room = WAVE - disorder - 2;
  return Array.from({ length: perSplit }, (_, at) => {
    const base = 2 * Math.floor(((at + 0.5) / perSplit) * (room / 2));
    const key = ownKeys ? `${split}/${chance.below(keys)}` : `k${chance.below(keys)}`;
    return {
      id: `${uid}:${split}:${at}`,
      key,
      n: chance.below(1_000_000),
      at: wave * WAVE + disorder + base - (disorder === 0 ? 0 : 2 * chance.below(disorder / 2 + 1)),
      isRefused: refuses > 0 && at % refuses === 2,
    };
  });
}
