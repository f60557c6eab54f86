import type { Graph, GraphNode } from './node.ts';

/** For each node that an unbounded source leads to, one such source. */
export function endlessSources(graph: Graph): ReadonlyMap<number, GraphNode> {
  const endless = new Map<number, GraphNode>();
  for (const node of graph.nodes) {
    const unbounded = node.kind === 'source' && node.traits.bounded !== true ? node : undefined;
    const source = unbounded ?? node.edges.map((edge) => endless.get(edge.from)).find((found) => found !== undefined);
    if (source !== undefined) endless.set(node.id, source);
  }
  return endless;
}
