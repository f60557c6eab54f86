/** The table's form: facts about patterns, events and what must come out. */

export type FieldValue = string | number;

/** A condition of the table. */
export interface TableCondition {
  readonly op: string;
  readonly field?: 'name' | 'price' | 'volume';
  readonly value?: FieldValue;
  readonly type?: string;
  readonly args?: readonly TableCondition[];
  readonly agg?: 'sum' | 'count';
  readonly of?: string;
  readonly includeCurrent?: boolean;
  readonly cmp?: string;
  readonly ifNone?: boolean;
}

export interface TableStep {
  readonly link: 'begin' | 'next' | 'followedBy' | 'followedByAny' | 'notNext' | 'notFollowedBy';
  readonly name?: string;
  readonly group?: readonly TableStep[];
  readonly where?: TableCondition;
  readonly times?: {
    readonly min: number;
    readonly max: number | null;
    readonly inner: 'relaxed' | 'consecutive' | 'combinations';
    readonly window?: number;
  };
  readonly optional?: boolean;
  readonly greedy?: boolean;
  readonly until?: TableCondition;
  readonly within?: number;
  readonly withinPrev?: number;
}

export interface TablePattern {
  readonly skip?: {
    readonly kind: 'noSkip' | 'skipToNext' | 'skipPastLastEvent' | 'skipToFirst' | 'skipToLast';
    readonly to?: string;
    readonly throwOnMiss?: boolean;
  };
  readonly steps: readonly TableStep[];
}

export interface TableEvent {
  readonly id: string;
  readonly name: string;
  readonly price: number;
  readonly ts: number;
  readonly type?: string;
  readonly volume?: number;
  readonly key?: number;
}

/** Ids of events by step. */
export type TableMatch = Readonly<Record<string, readonly string[]>>;
/** `MIN` and `MAX` are the ends of time. */
export type TableTime = number | 'MIN' | 'MAX';
export type TableOp = { readonly advanceTime: number } | { readonly event: string };

export interface PatternCase {
  readonly id: string;
  readonly pattern: TablePattern;
  readonly timeoutHandling?: boolean;
  readonly events: readonly TableEvent[];
  readonly ops?: readonly TableOp[];
  readonly expected: readonly TableMatch[];
  readonly emittedAt?: readonly TableOp[];
  readonly expectedTimeouts?: readonly { readonly partial: TableMatch; readonly timeoutTs: number; readonly at?: TableOp }[];
  readonly expectedError?: string;
  readonly declarativeSpecWouldGive?: readonly (readonly [TableMatch, string])[];
}

export type OperatorOp =
  | { readonly event: string }
  | { readonly watermark: TableTime }
  | { readonly processingTime: TableTime }
  | { readonly snapshotRestore: true };

export type OperatorOutput =
  | { readonly match: TableMatch; readonly ts?: TableTime }
  | { readonly timeout: TableMatch; readonly ts?: TableTime }
  | { readonly watermark: TableTime };

export interface OperatorCase {
  readonly id: string;
  readonly pattern: TablePattern;
  readonly timeMode: 'event' | 'processing';
  readonly keyBy?: string;
  readonly comparator?: unknown;
  readonly events: readonly TableEvent[];
  readonly ops: readonly OperatorOp[];
  readonly expectedOutput: readonly OperatorOutput[];
  readonly expectedLate?: readonly string[];
  readonly timeoutHandling?: boolean;
}

export interface Table {
  readonly cases?: readonly PatternCase[];
  readonly randomCases?: readonly PatternCase[];
  readonly quirks?: readonly PatternCase[];
  readonly operatorCases?: readonly OperatorCase[];
  readonly validationCases?: readonly { readonly id: string; readonly pattern: TablePattern; readonly expectedError: string }[];
  readonly emptyMatchCases?: readonly {
    readonly pattern: TablePattern;
    readonly canProduceEmptyMatches: boolean;
    readonly note?: string;
  }[];
}
