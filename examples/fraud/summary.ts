import { defineSink, type Sink } from '@millrace/core';
import type { Outcome } from './outcome.ts';
import { SCENARIOS } from './payment.ts';
import { RULE_NAMES } from './rules.ts';

/** The last outcome of each scenario. */
export type Outcomes = ReadonlyMap<number, Outcome>;

/** Keeps the last outcome of each scenario, and prints the summary when the job has ended. `feed` says where the payments come from. */
export function summary(feed: string): Sink<{ readonly key: number; readonly value: Outcome }> {
  return defineSink<{ readonly key: number; readonly value: Outcome }, never, readonly [number, Outcome]>({
    name: 'summary',
    open: () => {
      const start = performance.now();
      const latest = new Map<number, Outcome>();
      return {
        write(outcomes) {
          for (const { key, value } of outcomes) latest.set(key, value);
        },
        prepare: async () => [],
        commit: async () => undefined,
        state: () => [...latest],
        async recover(_, outcomes) {
          for (const [scenario, outcome] of outcomes) latest.set(scenario, outcome);
        },
        async close(failure) {
          if (failure === undefined) console.log(summaryText(feed, latest, (performance.now() - start) / 1000));
        },
      };
    },
  });
}

/** The summary as a text. */
export function summaryText(feed: string, outcomes: Outcomes, seconds: number): string {
  const all = [...outcomes].map(([scenario, outcome]) => ({ scenario, ...outcome }));
  const frauds = all.filter(({ scenario }) => scenario > 0);
  const total = (some: typeof all, field: keyof Outcome): number => some.reduce((sum, one) => sum + one[field], 0);
  const rows = (names: readonly string[], count: (name: string, index: number) => readonly [number, number]): string[][] =>
    names.map((name, index) => {
      const [whole, part] = count(name, index);
      return [name, number(whole), number(part), share(part, whole)];
    });
  const byScenario = rows([...SCENARIOS.slice(1), 'all'], (_, index) => {
    const some = index + 1 < SCENARIOS.length ? frauds.filter(({ scenario }) => scenario === index + 1) : frauds;
    return [total(some, 'payments'), total(some, 'alerts')];
  });
  const byRule = rows([...RULE_NAMES, 'any'], (name) => {
    const field = RULE_NAMES.find((rule) => rule === name) ?? 'alerts';
    return [total(all, field), total(frauds, field)];
  });
  const payments = total(all, 'payments');
  return [
    feed,
    '',
    `${number(payments)} payments in ${seconds.toFixed(1)} s (${number(Math.round(payments / seconds))} a second), ${number(
      total(frauds, 'payments'),
    )} of them frauds (${share(total(frauds, 'payments'), payments)}).`,
    '',
    ...table([['scenario', 'frauds', 'found', 'recall'], ...byScenario]),
    '',
    ...table([['rule', 'alerts', 'right', 'precision'], ...byRule]),
  ].join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)}%`;
}

/** Rows in columns of fixed width, so that two tables below each other fit. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  return rows.map(([name, ...cells]) => name!.padEnd(22) + cells.map((cell) => cell.padStart(10)).join(''));
}
