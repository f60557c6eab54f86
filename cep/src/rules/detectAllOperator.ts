import {
  MIN_TIMESTAMP,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type OperatorState,
  type Timestamp,
  type ValueState,
  valueState,
} from '@millrace/core';
import { lastOf } from '../executors/executor.ts';
import type { ExecutorUser } from '../executors/executorForm.ts';
import { matchShape, partialOf } from '../executors/matchShape.ts';
import { OrderedEvents, type TimeDomain } from '../operator/orderedEvents.ts';
import type { NamedFunctions } from '../pattern/readCondition.ts';
import type { ActiveRule, RuleOptions, RuleUse } from './activeRule.ts';
import { RuleBook } from './ruleBook.ts';
import { type CheckedChange, type DatedChange, readChange, type RuleChange } from './ruleChange.ts';
import { type Followed, RULES_CODEC, RulesOfKey } from './rulesOfKey.ts';
import type { SharedPredicate } from './sharedPredicates.ts';

/** What the operator of many rules is made of. */
export interface RuleDetection extends RuleOptions {
  /** Rules that the job itself has. */
  readonly rules: readonly CheckedChange[];
  readonly functions: NamedFunctions;
  readonly time: TimeDomain;
  readonly compare: ((a: never, b: never) => number) | undefined;
}

export function detectAllOperator(detection: RuleDetection): OperatorDefinition {
  return {
    state: { runs: valueState<RulesOfKey>({ codec: RULES_CODEC }) },
    timers: { deadline: detection.time, flush: 'processingTime' },
    outputs: ['timedOut', 'late', 'lateRules'],
    create: (context) => new DetectAllOperator(context, detection),
  };
}

/**
 * Looks for the patterns of many rules in the events of each key. Events wait for the watermark, which is that of the rules too, and by then
 * all is known that is valid at their time. Each distinct predicate is asked at most once per event, and only the rules that it leads to are
 * looked at.
 */
class DetectAllOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[];
  private readonly context: OperatorContext;
  private readonly functions: NamedFunctions;
  private readonly book: RuleBook;
  private readonly runs: ValueState<RulesOfKey | undefined>;
  private readonly changes: OperatorState<DatedChange>;
  private readonly events: OrderedEvents;
  private readonly isEventTime: boolean;
  /** A match is told as the event that completes it. */
  private readonly tellsEvent: boolean;
  /** Rules that the current event concerns. */
  private readonly concerned: ActiveRule[] = [];
  private readonly find = (address: string): ActiveRule | undefined => this.book.find(address);
  private readonly noteUsers: (predicate: SharedPredicate<RuleUse>) => void;

  constructor(context: OperatorContext, detection: RuleDetection) {
    this.context = context;
    this.tellsEvent = detection.emit === 'exists';
    this.functions = detection.functions;
    this.book = new RuleBook({ ...detection, user: (rule) => this.userOf(rule) });
    for (const change of detection.rules) this.book.put(change);
    this.runs = context.state['runs'] as ValueState<RulesOfKey | undefined>;
    this.changes = context.operatorState<DatedChange>('rules', 'broadcast');
    this.noteUsers = ({ users }) => {
      for (let i = 0; i < users.length; i++) this.note(users[i]!.rule, users[i]!.starts);
    };
    this.isEventTime = detection.time === 'eventTime';
    this.events = new OrderedEvents(context, detection, {
      process: (value, time) => this.process(value, time),
      resume: () => this.resume(),
    });
    this.inputs = [this.events.handler(), (change) => this.acceptChange(change)];
  }

  /** Rules that were said before the checkpoint. */
  open(): void {
    for (const { change, from } of this.changes.get()) this.book.put(readChange(change, this.functions, from));
  }

  onWatermark(watermark: Timestamp): boolean {
    if (!this.events.drain(watermark)) return false;
    // Batch mode comes back to earlier times with the next key.
    if (this.isEventTime && this.context.subtask.emission === 'rolling') this.retire(watermark);
    return true;
  }

  /** Forgets the rules of which nothing is left at a time. */
  private retire(at: Timestamp): void {
    if (this.book.nextEnd > at) return;
    this.book.retire(at);
    this.changes.update(this.changes.get().filter(({ change }) => this.book.holds(change.rule, change.version)));
  }

  onTimer(): void {
    const { context, events } = this;
    const at = context.dueTime;
    if (context.dueName === 'flush') return events.flush();
    // All timers from before it have fired.
    if (!this.isEventTime) this.retire(at - 1);
    const rules = this.runs.value();
    if (rules === undefined) return;
    this.runs.update(rules);
    rules.timer = Infinity;
    rules.open(this.find);
    if (events.postpones(at)) return;
    if (rules.epoch !== this.book.epoch) this.lookThrough(rules, at);
    for (const followed of rules.followed.values()) {
      const { rule, live, deadline } = followed;
      if (rule.discardAt <= at) this.discard(rules, followed);
      else if (deadline <= at) {
        rule.executor.advance(live, at, true);
        this.keep(rules, followed);
      }
    }
    this.leave(rules);
  }

  *entries(): ReturnType<Required<Operator>['entries']> {
    yield* this.events.entries();
  }

  restoreEntry(entry: Parameters<Required<Operator>['restoreEntry']>[0]): void {
    this.events.restore(entry);
  }

  /** Every subtask is told of every change. */
  private acceptChange(change: RuleChange): void {
    const { context } = this;
    const { watermark } = context;
    // By the clock, a change is said when it comes.
    const time = this.isEventTime ? context.time : context.now();
    const isLate = this.isEventTime && time !== -Infinity && time <= watermark;
    // What comes too late cannot change what was found already.
    const earliest = isLate ? watermark + 1 : Math.max(time, MIN_TIMESTAMP);
    const checked = readChange(change, this.functions, earliest);
    if (isLate) context.outputLate('lateRules', change, time);
    if (!this.book.put(checked)) return context.counter('repeatedRules').add();
    this.changes.update([...this.changes.get(), { change, from: checked.from }]);
    if (checked.runs === 'discard') this.armDiscards(checked.rule);
  }

  /** Keys that see no event any more must let go of runs, too. */
  private armDiscards(name: string): void {
    const { context } = this;
    for (const key of context.keys()) {
      context.enter(key);
      const rules = this.runs.value();
      if (rules === undefined) continue;
      this.runs.update(rules);
      rules.open(this.find);
      for (const rule of rules.followed.keys()) if (rule.rule === name) this.arm(rules, rule.discardAt);
    }
  }

  /** The next event of the current key. */
  private process(value: unknown, time: Timestamp): void {
    const { book, concerned } = this;
    concerned.length = 0;
    book.predicates.begin(value, time, this.noteUsers);
    for (const rule of book.startingWithAll) this.note(rule, true);
    let rules = this.runs.value();
    if (rules !== undefined) {
      // Before it changes: a snapshot that is being written still has to see it as it was.
      this.runs.update(rules);
      if (rules.epoch !== book.epoch) this.lookThrough(rules, time);
      if (rules.reactingToAll > 0) for (const rule of rules.followed.keys()) if (rule.reactsToAll) this.note(rule, false);
    }
    if (concerned.length === 0) return;
    if (concerned.length > 1) concerned.sort(byAddress);
    for (let i = 0; i < concerned.length; i++) rules = this.follow(rules, concerned[i]!, value, time);
    if (rules !== undefined) this.leave(rules);
  }

  private note(rule: ActiveRule, starts: boolean): void {
    if (rule.noted === this.book.predicates.event) {
      rule.starts ||= starts;
      return;
    }
    rule.noted = this.book.predicates.event;
    rule.starts = starts;
    this.concerned.push(rule);
  }

  /** An event that concerns a rule. */
  private follow(rules: RulesOfKey | undefined, rule: ActiveRule, value: unknown, time: Timestamp): RulesOfKey | undefined {
    let followed = rules?.followed.get(rule);
    const phase = rule.phaseAt(time);
    if (phase === 'over') {
      if (followed !== undefined) this.discard(rules!, followed);
      return rules;
    }
    if (followed === undefined) {
      if (phase !== 'active' || !rule.starts) return rules;
      rules ??= this.begin();
      followed = rules.add(rule, rule.executor.create());
    }
    const executor = phase === 'active' ? rule.executor : rule.draining;
    executor.advance(followed.live, time, false);
    executor.accept(followed.live, value, time);
    this.keep(rules!, followed);
    return rules;
  }

  private begin(): RulesOfKey {
    const rules = new RulesOfKey();
    rules.epoch = this.book.epoch;
    this.runs.update(rules);
    return rules;
  }

  /** Runs of a rule have changed: lets go of them when there are none left. */
  private keep(rules: RulesOfKey, followed: Followed): void {
    const { rule, live } = followed;
    if (live.isIdle) rules.delete(rule);
    else {
      followed.deadline = rule.executor.nextDeadline(live);
      this.arm(rules, Math.min(followed.deadline, rule.discardAt));
    }
    const drops = rule.takeDrops();
    if (drops > 0) this.context.counter('droppedPartials').add(drops);
  }

  /** The runs of a version that is over. What was decided before is still told. */
  private discard(rules: RulesOfKey, { rule, live }: Followed): void {
    rule.draining.advance(live, rule.discardAt, false);
    if (!live.isIdle) this.context.counter('discardedRuns').add();
    rules.delete(rule);
  }

  /** After rules have changed: drops the runs of what is over. */
  private lookThrough(rules: RulesOfKey, time: Timestamp): void {
    rules.open(this.find);
    for (const followed of rules.followed.values()) {
      if (followed.rule.discardAt <= time) this.discard(rules, followed);
      else this.arm(rules, followed.rule.discardAt);
    }
    rules.epoch = this.book.epoch;
  }

  /** The current key is done with for now. */
  private leave(rules: RulesOfKey): void {
    if (rules.isIdle) {
      if (rules.timer !== Infinity) this.context.timers.cancel('deadline', rules.timer);
      return this.runs.clear();
    }
    if (rules.timer !== Infinity) return;
    let next = Infinity;
    for (const { rule, deadline } of rules.followed.values()) next = Math.min(next, deadline, rule.discardAt);
    this.arm(rules, next);
  }

  /** What the current key waits for beside events. */
  private resume(): void {
    const rules = this.runs.value();
    if (rules !== undefined) this.leave(rules);
  }

  private arm(rules: RulesOfKey, at: Timestamp): void {
    if (at >= rules.timer) return;
    const { timers } = this.context;
    if (rules.timer !== Infinity) timers.cancel('deadline', rules.timer);
    rules.timer = at;
    timers.set('deadline', at);
  }

  private userOf(rule: ActiveRule): ExecutorUser {
    const { context } = this;
    const shape = matchShape(rule.automaton.steps);
    const named = { rule: rule.rule, version: rule.version };
    return {
      tellsTimedOut: () => context.hasTaker('timedOut'),
      match: (found, at) => {
        const last = lastOf(found);
        // Of all the matches that the event completes, none is told apart.
        const told = this.tellsEvent ? { taken: last, next: undefined } : found;
        context.emit({ ...named, key: context.key, start: told.taken.time, end: last.time, match: shape(told) }, at);
      },
      timedOut: (found, at) => {
        const [start, end] = [found.taken.time, lastOf(found).time];
        context.outputAt('timedOut', { ...named, key: context.key, start, end, match: partialOf(rule.automaton.steps, found) }, at);
      },
    };
  }
}

function byAddress(a: ActiveRule, b: ActiveRule): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}
