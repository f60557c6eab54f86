import type { GraphNode } from './node.ts';
import { regionsOf } from './regions.ts';
import type { Plan, PlanChain, PlanEdge } from './plan.ts';

/**
 * A plan for people: a block per task, with what runs in it and what it reads.
 *
 * @example
 * const env = new StreamEnvironment();
 * env.from(fromArray(['a'])).keyBy((word) => word).sum(() => 1, { uid: 'counts' }).sinkTo(discard());
 * console.log(explainText(env.plan()));
 * // mode streaming, 1 task, 128 key groups
 * //
 * // task 1 × 1
 * //   source [source#1, derived] (connector: array)
 * //   sum [counts]
 * //   sink [sink#1, derived] (connector: discard)
 */
export function explainText(plan: Plan): string {
  const { mode, maxParallelism, chains } = plan;
  const regions = regionsOf(plan);
  const lines = [`mode ${mode}, ${chains.length} ${chains.length === 1 ? 'task' : 'tasks'}, ${maxParallelism} key groups`];
  for (const chain of chains) {
    const region = regions.findIndex((ids) => ids.includes(chain.id)) + 1;
    const inRegion = plan.mode === 'batch' && regions.length > 1 ? `, region ${region}` : '';
    lines.push('', `task ${chain.id + 1} × ${chain.parallelism}${inRegion}`);
    for (const edge of edgesInto(plan, chain)) lines.push(`  ← ${describeEdge(plan, edge)}`);
    for (const id of chain.nodes) lines.push(`  ${describeNode(plan.graph.nodes[id]!)}${describeUpstream(plan, chain, id)}`);
  }
  return lines.join('\n');
}

/**
 * A plan as a Mermaid flowchart: tasks as boxes, exchanges as arrows between them.
 *
 * @example
 * const env = new StreamEnvironment();
 * env.from(fromArray([1]), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
 * console.log(explainMermaid(env.plan()));
 * // flowchart LR
 * //   subgraph t0 ["task 1 × 1"]
 * //     n0["source [numbers] (connector: array)"]
 * //     n1["sink [output] (connector: discard)"]
 * //   end
 * //   n0 --> n1
 */
export function explainMermaid(plan: Plan): string {
  const lines = ['flowchart LR'];
  for (const chain of plan.chains) {
    lines.push(`  subgraph t${chain.id} ["task ${chain.id + 1} × ${chain.parallelism}"]`);
    for (const id of chain.nodes) lines.push(`    n${id}["${escape(describeNode(plan.graph.nodes[id]!))}"]`);
    lines.push('  end');
    for (const id of chain.nodes) {
      for (const edge of plan.graph.nodes[id]!.edges) {
        if (chain.nodes.includes(edge.from))
          lines.push(`  n${edge.from} -->${edge.output === null ? '' : `|${escape(edge.output)}|`} n${id}`);
      }
    }
  }
  for (const edge of plan.edges) lines.push(`  n${edge.from} ==>|${escape(edgeLabel(edge))}| n${edge.to}`);
  return lines.join('\n');
}

function describeNode({ uid, kind, name, details, uidGiven }: GraphNode): string {
  const named = name === kind ? kind : `${kind} "${name}"`;
  const shown = Object.entries(details).map(([detail, value]) => `${detail}: ${value}`);
  return `${named} [${uid}${uidGiven ? '' : ', derived'}]${shown.length === 0 ? '' : ` (${shown.join('; ')})`}`;
}

/** Which link of the chain, or which of its side outputs, a node reads, where it is not just the line above. */
function describeUpstream({ graph }: Plan, chain: PlanChain, id: number): string {
  const edge = graph.nodes[id]!.edges.find(({ from }) => chain.nodes.includes(from));
  if (edge === undefined) return '';
  const above = chain.nodes[chain.nodes.indexOf(id) - 1];
  if (edge.from === above && edge.output === null) return '';
  return ` ← ${graph.nodes[edge.from]!.uid}${edge.output === null ? '' : `.${edge.output}`}`;
}

function edgesInto({ edges }: Plan, chain: PlanChain): readonly PlanEdge[] {
  return edges.filter(({ to }) => to === chain.nodes[0]);
}

function describeEdge({ graph }: Plan, edge: PlanEdge): string {
  return `${graph.nodes[edge.from]!.uid}${edge.output === null ? '' : `.${edge.output}`} (${edgeLabel(edge)}${edge.input > 0 ? `, input ${edge.input + 1}` : ''})`;
}

function edgeLabel({ exchange, blocking, sorted, output }: PlanEdge): string {
  const kind = blocking ? `${exchange}, blocking${sorted === null ? '' : `, sorted by ${sorted}`}` : exchange;
  return output === null ? kind : `${output}: ${kind}`;
}

/** Mermaid reads quotes and angle brackets as its own. */
function escape(text: string): string {
  return text.replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('>', '#gt;').replaceAll('|', '#124;');
}
