import {
  type DataStream,
  type Key,
  type KeyedStream,
  MIN_TIMESTAMP,
  type OperatorOptions,
  type OperatorStream,
  type Timestamp,
} from '@millrace/core';
import type { Complete, Matched } from '../pattern/matched.ts';
import type { EmitMode, MaxPartials } from '../pattern/pattern.ts';
import { readPattern } from '../pattern/fromJson.ts';
import type { NamedFunctions } from '../pattern/readCondition.ts';
import { detectAllOperator } from './detectAllOperator.ts';
import type { CheckedChange, RuleChange } from './ruleChange.ts';

/** A rule that the job itself has: valid from the beginning, for ever. */
export interface Rule<T> {
  readonly rule: string;
  readonly version: number;
  /** A pattern, or its JSON form. */
  readonly pattern: Complete<T, Matched> | { readonly version: 1; readonly sequence: unknown; readonly afterMatch?: unknown };
}

/** Options of `detectAll`. */
export interface DetectAllOptions<T> extends OperatorOptions {
  /** Rules that the job itself has, beside those that come by a stream. */
  readonly rules?: readonly Rule<T>[];
  /** What `{ "function": name }` means in the JSON of patterns. Expressions need none. */
  readonly functions?: NamedFunctions;
  /**
   * What an event that completes matches of one rule gives; see `detect`. With `exists`, that event is the only one in the `RuleMatch`.
   * Default: all of them.
   */
  readonly emit?: EmitMode;
  /** How many partial matches a rule may have for one key, and what happens to more. Default: any number. */
  readonly maxPartials?: MaxPartials;
  /**
   * Whose clock windows, absences and the validity of rules go by. In processing time a change is valid from when it comes to a subtask, so
   * what is found depends on that. Default: `eventTime`.
   */
  readonly time?: 'eventTime' | 'processingTime';
  /** The order of events of one time. Default: that in which they come. */
  readonly compare?: (a: T, b: T) => number;
}

/** A match, or partial match, of a rule. */
export interface RuleMatch<T, K> {
  readonly rule: string;
  readonly version: number;
  readonly key: K;
  /** The times of its first and last event, in ms. */
  readonly start: Timestamp;
  readonly end: Timestamp;
  /** Its events by step name. */
  readonly match: Readonly<Record<string, readonly T[]>>;
}

/** The side outputs of `detectAll`. */
export interface RuleOutputs<T, K> {
  /** Partial matches whose time is over. */
  readonly timedOut: RuleMatch<T, K>;
  /** Events behind the watermark. */
  readonly late: T;
  /** Changes of rules behind the watermark: they are valid from there on. */
  readonly lateRules: RuleChange;
}

/**
 * Looks for many patterns at once: `keyed.pipe(detectAll(rules))`. Rules are a list, or data on a stream: each element adds,
 * updates or removes one, from its own time on. Events wait until the stream of rules has reached their time too, so what is found does
 * not depend on what comes first: give that stream `idleAfter`, lest it hold back the events while nobody changes a rule. Conditions
 * that several rules have in common are asked once per event.
 *
 * @throws MillraceError `cep/…` for rules that cannot work. A change on the stream that cannot is dealt with as the error policy says.
 * @example
 * const isSmall = { expression: { '<': [{ field: 'cents' }, 100] } };
 * const probing = {
 *   version: 1 as const,
 *   sequence: { steps: [
 *     { kind: 'event', link: 'begin', name: 'first', where: isSmall },
 *     { kind: 'event', link: 'next', name: 'second', where: isSmall },
 *   ] },
 * };
 * const env = new StreamEnvironment();
 * const payments = env.from(fromArray([{ card: 'a', cents: 50, at: 1 }, { card: 'a', cents: 70, at: 2 }, { card: 'a', cents: 90, at: 9 }]), { time: { timestamp: (p) => p.at } });
 * const rules = env.from(fromArray<RuleChange & { at: number }>([
 *   { type: 'add', rule: 'probing', version: 1, pattern: probing, at: 0 },
 *   { type: 'remove', rule: 'probing', version: 2, at: 5 },
 * ]), { time: { timestamp: (change) => change.at } }).map(({ at, ...change }): RuleChange => change);
 * const matches = payments.keyBy((p) => p.card).pipe(detectAll(rules, { uid: 'rules' }));
 * console.log((await matches.collect()).map(({ rule, version, end }) => `${rule} ${version} at ${end}`)); // [ 'probing 1 at 2' ]
 */
export function detectAll<T, K extends Key>(
  rules: DataStream<RuleChange> | readonly Rule<T>[],
  options: DetectAllOptions<T> = {},
): (stream: KeyedStream<K, T>) => OperatorStream<RuleMatch<T, K>, RuleOutputs<T, K>> {
  const { functions = {}, emit = 'all', maxPartials, time = 'eventTime', compare, rules: more = [] } = options;
  const changes = isList(rules) ? undefined : rules;
  const fixed = [...(isList(rules) ? rules : []), ...more].map((rule) => fixedRule(rule, functions));
  const operator = detectAllOperator({ rules: fixed, functions, emit, maxPartials, time, compare });
  return (stream) =>
    stream.transform(operator, {
      ...options,
      kind: 'detectAll',
      traits: { stateful: true, ...(time === 'eventTime' && { needsEventTime: true }), ...(changes !== undefined && { firstInput: 1 }) },
      details: { rules: changes === undefined ? fixed.length : `${fixed.length} and a stream of them` },
      ...(changes !== undefined && { with: [changes.broadcast()] }),
    });
}

function isList<T>(rules: DataStream<RuleChange> | readonly Rule<T>[]): rules is readonly Rule<T>[] {
  return Array.isArray(rules);
}

function fixedRule<T>({ rule, version, pattern }: Rule<T>, functions: NamedFunctions): CheckedChange {
  const node = 'node' in pattern ? pattern.node : readPattern(pattern, functions, `rule "${rule}"`);
  return { rule, version, from: MIN_TIMESTAMP, until: Infinity, runs: 'drain', pattern: node };
}
