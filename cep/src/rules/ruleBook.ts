import type { Timestamp } from '@millrace/core';
import type { ExecutorUser } from '../executors/executorForm.ts';
import { ActiveRule, addressOf, type RuleOptions, type RuleUse } from './activeRule.ts';
import type { CheckedChange } from './ruleChange.ts';
import { SharedPredicates } from './sharedPredicates.ts';

/**
 * All rules that were ever said, by their versions. When a version is valid is a matter of what was said about its rule and of event time,
 * not of the order in which it was said.
 */
export class RuleBook {
  readonly predicates: SharedPredicates<RuleUse> = new SharedPredicates<RuleUse>();
  /** Grows with every change that can end runs. */
  epoch = 0;
  /** Those that any event can begin. */
  startingWithAll: ActiveRule[] = [];
  /** When the next version comes to its end. */
  nextEnd: Timestamp = Infinity;
  private readonly byAddress = new Map<string, ActiveRule>();
  /** What was said of each rule, in the order of versions. */
  private readonly history = new Map<string, CheckedChange[]>();
  private readonly options: RuleOptions & { readonly user: (rule: ActiveRule) => ExecutorUser };

  constructor(options: RuleOptions & { readonly user: (rule: ActiveRule) => ExecutorUser }) {
    this.options = options;
  }

  find(address: string): ActiveRule | undefined {
    return this.byAddress.get(address);
  }

  /** How many versions are known. */
  get size(): number {
    return this.byAddress.size;
  }

  /** Takes over a change. False if this version of the rule was said before. */
  put(change: CheckedChange): boolean {
    const history = this.history.get(change.rule) ?? [];
    if (history.some(({ version }) => version === change.version)) return false;
    const { pattern } = change;
    if (pattern !== undefined) {
      const rule = new ActiveRule({ ...change, pattern }, this.predicates, this.options);
      this.byAddress.set(rule.address, rule);
      if (rule.startsWithAll) this.startingWithAll.push(rule);
    }
    history.push(change);
    history.sort((a, b) => a.version - b.version);
    this.history.set(change.rule, history);
    this.date(history);
    this.epoch++;
    this.findNextEnd();
    return true;
  }

  /**
   * Forgets the versions that are over at `watermark`, but for the last thing that was said of each rule: by it, what is said again is
   * known.
   */
  retire(watermark: Timestamp): void {
    const isOver = ({ endsAt }: ActiveRule): boolean => endsAt <= watermark;
    this.predicates.release(({ rule }) => isOver(rule));
    this.startingWithAll = this.startingWithAll.filter((rule) => !isOver(rule));
    for (const history of this.history.values()) {
      // From the first on: what is said later bears on what was said before.
      const isPast = ({ rule, version, from }: CheckedChange): boolean => {
        const active = this.byAddress.get(addressOf(rule, version));
        // A removal that is still to come ends what may yet be said of times before it.
        return active === undefined ? from <= watermark : isOver(active);
      };
      while (history.length > 1 && isPast(history[0]!)) history.shift();
    }
    for (const [address, rule] of this.byAddress) if (isOver(rule)) this.byAddress.delete(address);
    this.findNextEnd();
  }

  /** Whether a change still matters. */
  holds(rule: string, version: number): boolean {
    return this.history.get(rule)?.some((change) => change.version === version) === true;
  }

  private findNextEnd(): void {
    this.nextEnd = Infinity;
    for (const { endsAt } of this.byAddress.values()) this.nextEnd = Math.min(this.nextEnd, endsAt);
  }

  /** A version is valid until a later one is: whichever of them comes first. */
  private date(history: readonly CheckedChange[]): void {
    let takenOver: Timestamp = Infinity;
    let discarded: Timestamp = Infinity;
    for (const { rule, version, until, from, runs } of history.toReversed()) {
      const active = this.byAddress.get(addressOf(rule, version));
      if (active !== undefined) {
        active.until = Math.min(until, takenOver);
        active.discardAt = discarded;
      }
      takenOver = Math.min(takenOver, from);
      if (runs === 'discard') discarded = Math.min(discarded, from);
    }
  }
}
