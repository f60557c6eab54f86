import { accountingOf } from './buildJob.ts';
import { eventsOf, type JobSpec, splitsOf } from './jobSpec.ts';
import type { Target } from './transactions.ts';

/** What is to be said of a run. */
export interface Verdict {
  /** What is wrong; `undefined` when all is as it should be. */
  readonly problem: string | undefined;
  /** Something is there more than once: expected of at-least-once, now and then. */
  readonly hasDuplicates: boolean;
}

/** Judges what became visible while everything went wrong, by what an undisturbed run has written. */
export function judge(
  spec: JobSpec,
  { visible, violations }: Pick<Target, 'visible' | 'violations'>,
  undisturbed: readonly string[],
): Verdict {
  if (violations.length > 0) return { problem: violations.slice(0, 3).join('; '), hasDuplicates: false };
  if (spec.judgement === 'exact') return { problem: differenceOf(visible, undisturbed), hasDuplicates: false };
  if (spec.judgement === 'accounting') return { problem: accountOf(spec, visible), hasDuplicates: false };
  const missing = [...new Set(undisturbed)].filter((line) => !visible.includes(line));
  return {
    problem: missing.length === 0 ? undefined : `lost: ${some(missing)}`,
    hasDuplicates: new Set(visible).size < visible.length,
  };
}

/** How two outputs differ, their order left aside. */
export function differenceOf(actual: readonly string[], expected: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const line of expected) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of actual) counts.set(line, (counts.get(line) ?? 0) - 1);
  const lost = [...counts].filter(([, count]) => count > 0).map(([line]) => line);
  const surplus = [...counts].filter(([, count]) => count < 0).map(([line]) => line);
  if (lost.length + surplus.length === 0) return undefined;
  return `of ${expected.length} lines ${lost.length} are lost: ${some(lost)}; and ${surplus.length} are too many: ${some(surplus)}`;
}

/** Each element of the input has to be in one window, or among the late or refused, once; those of a key and split in order. */
function accountOf(spec: JobSpec, visible: readonly string[]): string | undefined {
  const [source] = spec.sources as [JobSpec['sources'][number]];
  const events = splitsOf(source)
    .flat()
    .flatMap((split) => eventsOf(source, spec.seed, split));
  const { isInOrder, isFixed } = accountingOf(spec);
  const fired = new Set<string>();
  const found: string[] = [];
  for (const line of visible) {
    const space = line.indexOf(' ');
    const value = JSON.parse(line.slice(space + 1)) as {
      readonly key: string;
      readonly id?: string;
      readonly ids?: string[];
      readonly start?: number;
      readonly place?: string;
    };
    if (isFixed && value.start !== undefined) {
      const name = `${value.key} ${value.start}`;
      if (fired.has(name)) return `the window ${name} has fired twice`;
      fired.add(name);
    }
    const ids = value.ids ?? [value.id ?? value.place!];
    if (isInOrder && value.ids !== undefined) {
      const disordered = outOfOrder(value.ids);
      if (disordered !== undefined) return `in a window of ${value.key} ${disordered} comes too late`;
    }
    found.push(...ids.map((id) => (value.place === undefined ? `${id} ${value.key}` : id)));
  }
  const expected = events.map(({ id, key, isRefused }) => (isRefused ? id : `${id} ${key}`));
  return differenceOf(found, expected);
}

/** An element that stands behind one that its split gave later. */
function outOfOrder(ids: readonly string[]): string | undefined {
  const last = new Map<string, number>();
  for (const id of ids) {
    const at = id.lastIndexOf(':');
    const split = id.slice(0, at);
    const number = Number(id.slice(at + 1));
    if ((last.get(split) ?? -1) > number) return id;
    last.set(split, number);
  }
  return undefined;
}

function some(lines: readonly string[]): string {
  return lines.length === 0 ? 'none' : lines.slice(0, 3).join(' | ');
}
