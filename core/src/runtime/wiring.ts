import type { Plan, PlanChain, PlanEdge } from '../graph/plan.ts';
import type { Key } from '../state/key.ts';
import type { Workspace } from '../state/spill.ts';
import type { InputPartition } from './batchFeed.ts';
import { Channel } from './channel.ts';
import type { InputChannel } from './channelFeed.ts';
import type { Control } from './control.ts';
import type { Outlet } from './exchange.ts';
import { Partition } from './partition.ts';

/** What the ways between tasks need to know of the tasks at their ends. */
export interface WiringContext {
  controlOf(chain: PlanChain, subtask: number): Control;
  wake(chain: PlanChain, subtask: number): void;
  keyOf(edge: PlanEdge): ((value: never) => Key) | undefined;
  readonly workspace: Workspace;
}

/** The ways between the tasks of a job: a channel from subtask to subtask, or a partition per consumer where the exchange is blocking. */
export class Wiring {
  private readonly plan: Plan;
  private readonly context: WiringContext;
  private readonly chainOf = new Map<number, PlanChain>();
  private readonly channels = new Map<string, Channel>();
  private readonly partitions = new Map<string, Partition>();

  constructor(plan: Plan, context: WiringContext) {
    this.plan = plan;
    this.context = context;
    for (const chain of plan.chains) for (const node of chain.nodes) this.chainOf.set(node, chain);
  }

  connect(): void {
    for (const edge of this.plan.edges) {
      if (edge.blocking) this.materialise(edge);
      else this.link(edge);
    }
  }

  /** Where a producer subtask sends to, in the order that its route counts. */
  outletsOf(edge: PlanEdge, producer: number): readonly Outlet[] {
    const consumers = this.consumersOf(edge, producer);
    if (edge.blocking) return consumers.map((consumer) => this.partitions.get(partitionName(edge, consumer))!);
    return consumers.map((consumer) => this.channels.get(channelName(edge, producer, consumer))!);
  }

  channelsInto(chain: PlanChain, subtask: number): readonly InputChannel[] {
    return this.edgesInto(chain).flatMap((edge) =>
      Array.from({ length: this.chainOf.get(edge.from)!.parallelism }, (_, producer) =>
        this.channels.get(channelName(edge, producer, subtask)),
      ).flatMap((channel) => (channel === undefined ? [] : [{ channel, input: edge.input }])),
    );
  }

  partitionsInto(chain: PlanChain, subtask: number): readonly InputPartition[] {
    return this.edgesInto(chain).flatMap((edge) => {
      const partition = this.partitions.get(partitionName(edge, subtask));
      return partition === undefined ? [] : [{ partition, input: edge.input, sorted: edge.sorted }];
    });
  }

  private edgesInto(chain: PlanChain): readonly PlanEdge[] {
    return this.plan.edges.filter(({ to }) => to === chain.nodes[0]);
  }

  private link(edge: PlanEdge): void {
    const from = this.chainOf.get(edge.from)!;
    const to = this.chainOf.get(edge.to)!;
    for (let producer = 0; producer < from.parallelism; producer++) {
      for (const consumer of this.consumersOf(edge, producer)) {
        const channel = new Channel(this.context.controlOf(from, producer), () => this.context.wake(to, consumer));
        this.channels.set(channelName(edge, producer, consumer), channel);
      }
    }
  }

  private materialise(edge: PlanEdge): void {
    const from = this.chainOf.get(edge.from)!;
    const to = this.chainOf.get(edge.to)!;
    for (let consumer = 0; consumer < to.parallelism; consumer++) {
      const producers = Array.from({ length: from.parallelism }, (_, producer) => this.consumersOf(edge, producer)).filter((consumers) =>
        consumers.includes(consumer),
      );
      const { sorted } = edge;
      const { workspace } = this.context;
      const onComplete = (): void => this.context.wake(to, consumer);
      this.partitions.set(
        partitionName(edge, consumer),
        new Partition({ producers: producers.length, sorted, key: this.context.keyOf(edge), workspace, onComplete }),
      );
    }
  }

  /** The consumer subtasks that a producer subtask sends to. */
  private consumersOf({ exchange, from, to }: PlanEdge, producer: number): readonly number[] {
    const producers = this.chainOf.get(from)!.parallelism;
    const consumers = this.chainOf.get(to)!.parallelism;
    if (exchange === 'forward') return [producer];
    if (exchange === 'global') return [0];
    const all = Array.from({ length: consumers }, (_, consumer) => consumer);
    if (exchange !== 'rescale') return all;
    // Rescale stays local: with more consumers each producer has its own, with fewer several producers share one.
    if (consumers >= producers) return all.filter((consumer) => Math.floor((consumer * producers) / consumers) === producer);
    return [Math.floor((producer * consumers) / producers)];
  }
}

function partitionName(edge: PlanEdge, consumer: number): string {
  return `${edge.to}.${edge.index}/${consumer}`;
}

function channelName(edge: PlanEdge, producer: number, consumer: number): string {
  return `${edge.to}.${edge.index}/${producer}/${consumer}`;
}
