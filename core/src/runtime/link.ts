import type { Key } from '../state/key.ts';
import type { Operator } from '../operators/operator.ts';
import type { ErrorPolicy } from '../graph/builder.ts';
import type { Emit, OperatorContext } from '../operators/operatorContext.ts';

/** Where an operator of a chain sends: to another operator of the chain, or out of it. */
export type Target =
  { readonly kind: 'link'; readonly link: number; readonly input: number } | { readonly kind: 'writer'; readonly push: Emit };

/** One operator in its place in a chain. The chain is a tree; links stand in an order in which producers come first. */
export interface Link {
  readonly uid: string;
  readonly operator: Operator;
  readonly context: OperatorContext;
  /** The key selector of each input that is keyed. */
  readonly keys: readonly (((value: never) => Key) | undefined)[];
  readonly targets: readonly Target[];
  readonly sides: ReadonlyMap<string, readonly Target[]>;
  readonly policy: ErrorPolicy;
  /** Deals with an element that the policy does not fail for. */
  readonly reject: (error: unknown, value: unknown, timestamp: number) => void;
}

/** How the records of a chain are pushed through it. */
export interface Driver {
  /**
   * One per input of the chain's first operator: processes records `from … to − 1`, stops early when the control says so, and
   * returns how far it came. `timestamps` is `null` where the first operator gives the time itself.
   */
  readonly run: readonly ((values: readonly unknown[], timestamps: readonly number[] | null, from: number, to: number) => number)[];
  /** One per link: emits from outside of an element's journey, from a timer or an asynchronous result; none where that cannot be. */
  readonly emits: readonly (Emit | undefined)[];
}
