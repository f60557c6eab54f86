import { MIN_TIMESTAMP, type Timestamp } from '@millrace/core';
import { countOf, fieldsOf, malformedPattern, maybe, oneOf, type Part, textOf } from '../pattern/jsonShape.ts';
import type { PatternNode } from '../pattern/pattern.ts';
import { readPattern } from '../pattern/fromJson.ts';
import type { NamedFunctions } from '../pattern/readCondition.ts';

/** What becomes of the runs of a rule's earlier versions: they go on to their end without new ones (`drain`), or are dropped. */
export type RuleRuns = 'drain' | 'discard';

/** What is said of a rule, by an element of the stream of rules. Plain data. */
export type RuleChange = RulePut | RuleRemoval;

/** A new rule, or a new version of one: it takes over from the versions before it. */
export interface RulePut {
  readonly type: 'add' | 'update';
  readonly rule: string;
  /** A whole number from 1 on; each change of a rule has a higher one than the change before. */
  readonly version: number;
  /** The pattern's JSON form. */
  readonly pattern: unknown;
  /** From this event time on, in ms. Default, and the earliest possible: the time of the change itself. */
  readonly from?: Timestamp;
  /** Up to this event time, exclusively: runs that have begun by then go on. Default: for ever. */
  readonly until?: Timestamp;
  /** What becomes of the runs of earlier versions. Default: `drain`. */
  readonly runs?: RuleRuns;
}

/** The end of a rule. A later version can bring it back. */
export interface RuleRemoval {
  readonly type: 'remove';
  readonly rule: string;
  readonly version: number;
  readonly from?: Timestamp;
  /** Default: `discard`. */
  readonly runs?: RuleRuns;
}

/** A change that was read and checked, and when it is valid. */
export interface DatedChange {
  readonly change: RuleChange;
  readonly from: Timestamp;
}

/** A change, checked, with its pattern. */
export interface CheckedChange {
  readonly rule: string;
  readonly version: number;
  readonly from: Timestamp;
  readonly until: Timestamp;
  readonly runs: RuleRuns;
  /** Of a removal there is none. */
  readonly pattern: PatternNode | undefined;
}

/**
 * Reads a change of a rule.
 *
 * @throws MillraceError `cep/malformed`, `cep/condition` with the path to what is wrong.
 */
export function readChange(json: unknown, functions: NamedFunctions, earliest: Timestamp): CheckedChange {
  const field = fieldsOf({ json, path: '' }, ['type', 'rule', 'version', 'pattern', 'from', 'until', 'runs']);
  const type = oneOf(field('type'), ['add', 'update', 'remove']);
  if (type === 'remove') fieldsOf({ json, path: '' }, ['type', 'rule', 'version', 'from', 'runs']);
  const version = countOf(field('version'));
  if (version === 0) throw malformedPattern('version', 'versions begin with 1', 'Raise it with every change of the rule.');
  const { from } = maybe(field('from'), 'from', timeOf);
  const { until = Infinity } = maybe(field('until'), 'until', timeOf);
  const { runs = type === 'remove' ? 'discard' : 'drain' } = maybe(field('runs'), 'runs', (part) => oneOf(part, ['drain', 'discard']));
  return {
    rule: textOf(field('rule')),
    version,
    from: Math.max(from ?? MIN_TIMESTAMP, earliest),
    until,
    runs,
    pattern: type === 'remove' ? undefined : readPattern(field('pattern').json, functions, 'pattern'),
  };
}

function timeOf({ json, path }: Part): Timestamp {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json;
  throw malformedPattern(path, 'a time is needed', 'Times are whole numbers, in ms.');
}
