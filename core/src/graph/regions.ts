import type { Plan } from './plan.ts';

/**
 * Which tasks of a plan run, fail and start again together: those that pipelined exchanges join. A blocking exchange cuts a plan, since what
 * went through it is still there when its consumers fail. Each region holds ids of chains; producers come before their consumers.
 */
export function regionsOf({ chains, edges }: Pick<Plan, 'chains' | 'edges'>): readonly (readonly number[])[] {
  const chainOf = new Map(chains.flatMap(({ id, nodes }) => nodes.map((node) => [node, id] as const)));
  const joined = new Map(chains.map(({ id }) => [id, [id]]));
  for (const { from, to, blocking } of edges) {
    const [one, other] = [joined.get(chainOf.get(from)!)!, joined.get(chainOf.get(to)!)!];
    if (blocking || one === other) continue;
    one.push(...other);
    for (const id of other) joined.set(id, one);
  }
  return [...new Set(joined.values())].map((region) => [...region].sort((a, b) => a - b));
}

/** The chains that a region takes from through blocking exchanges. */
export function chainsBefore({ chains, edges }: Pick<Plan, 'chains' | 'edges'>, region: readonly number[]): ReadonlySet<number> {
  const chainOf = new Map(chains.flatMap(({ id, nodes }) => nodes.map((node) => [node, id] as const)));
  const into = edges.filter(({ to }) => region.includes(chainOf.get(to)!));
  return new Set(into.map(({ from }) => chainOf.get(from)!).filter((id) => !region.includes(id)));
}
