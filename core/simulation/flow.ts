import type { DataStream, OperatorOptions, Sink, StreamEnvironment } from '@millrace/core';
import type { Item } from './item.ts';

/** A stream of a random job, and what is known of it: which steps may be over it without that results depend on who is quicker. */
export interface Flow {
  readonly stream: DataStream<Item>;
  /** The items of a key come in the same order in every run. */
  readonly ordered: boolean;
  /** All items come in the same order in every run: from one split, through tasks of one subtask. */
  readonly total: boolean;
  /** Items have a time, and none is ever late. */
  readonly timed: boolean;
  /** Times are even: whether an element just a gap later still finds its session is else for the watermark to say. */
  readonly even: boolean;
  /** Subtasks where it is made; `undefined`: as many as the job says. */
  readonly parallelism: number | undefined;
}

/** What the steps of a random job have in common. */
export interface Workshop {
  readonly env: StreamEnvironment;
  /** Waits as a call to another service would. */
  readonly pause: () => Promise<void>;
  /** Subtasks of the next keyed operator: another number in each life of the job. */
  readonly parallelism: () => number | undefined;
  /** Lets the side outputs of a step be written too. */
  readonly side: (name: string, stream: DataStream<unknown>, parallelism: number | undefined) => void;
  /** Called for items on their way: the place of failures on purpose. */
  readonly visit: (item: Item) => void;
}

/** A verb of a random job: `i` varies it, `other` is a stream from elsewhere in the job, `uid` its name. `undefined` where it does not fit. */
export type Step = (flow: Flow, parts: StepParts) => Flow | undefined;

export interface StepParts {
  readonly uid: string;
  readonly i: number;
  readonly other: Flow;
  readonly shop: Workshop;
}

/** Options of an operator that goes on in the tasks of the one before it. */
export function beside({ parallelism }: Pick<Flow, 'parallelism'>, uid: string): OperatorOptions {
  return parallelism === undefined ? { uid } : { uid, parallelism };
}

/** Subtasks of a keyed operator: its own number, or one where the order of all items is to stay. */
export function apart({ total }: Flow, uid: string, shop: Workshop): OperatorOptions & { readonly uid: string } {
  const parallelism = total ? 1 : shop.parallelism();
  return parallelism === undefined ? { uid } : { uid, parallelism };
}

export const byKey = ({ key }: Item): string => key;
export const ms = (milliseconds: number): { readonly milliseconds: number } => ({ milliseconds });

/** Where the results of a sink's name go. */
export type SinkOf = (name: string) => Sink<unknown>;
