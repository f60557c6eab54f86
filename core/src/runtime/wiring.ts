import type { Plan, PlanChain, PlanEdge } from '../graph/plan.ts';
import type { Key } from '../state/key.ts';
import type { KeptSpace, Workspace } from '../state/spill.ts';
import type { Clock } from '../time/clock.ts';
import type { InputPartition } from './batchFeed.ts';
import { Channel, type ElementQueue } from './channel.ts';
import type { InputChannel } from './channelFeed.ts';
import type { Control } from './control.ts';
import { CreditGate, type CreditPolicy, CreditWindow } from './creditWindow.ts';
import type { Outlet } from './exchange.ts';
import type { FinishedRegions } from './finishedRegions.ts';
import { Partition } from './partition.ts';
import type { Placement } from './placement.ts';

/** What the ways between tasks need to know of the tasks at their ends. */
export interface WiringContext {
  controlOf(chain: PlanChain, subtask: number): Control;
  wake(chain: PlanChain, subtask: number): void;
  keyOf(edge: PlanEdge): ((value: never) => Key) | undefined;
  readonly workspace: Workspace;
  readonly credit: CreditPolicy;
  readonly clock: Clock;
  /** All that goes to a partition is there. */
  onPartition(name: string, partition: Partition): void;
  /** Whether what went through blocking exchanges may be read again, and where that is kept if not with this process. */
  readonly keepsResults: boolean;
  readonly results: KeptSpace | undefined;
  /** Results of an attempt before. */
  readonly finished: FinishedRegions | undefined;
}

/** A way from a subtask to another. */
export interface Way {
  readonly edge: PlanEdge;
  readonly from: PlanChain;
  readonly producer: number;
  readonly to: PlanChain;
  readonly consumer: number;
}

/** All ways between the tasks of a job, in an order that is the same on every host: their positions are the channels' numbers. */
export function* waysOf(plan: Plan): Generator<Way> {
  const chainOf = chainsByNode(plan);
  for (const edge of plan.edges) {
    const [from, to] = [chainOf.get(edge.from)!, chainOf.get(edge.to)!];
    for (let producer = 0; producer < from.parallelism; producer++) {
      for (const consumer of consumersOf(edge, from, to, producer)) yield { edge, from, producer, to, consumer };
    }
  }
}

/** The ways between the tasks of a job: a channel from subtask to subtask, or a partition per consumer where the exchange is blocking. */
export class Wiring {
  private readonly plan: Plan;
  private readonly context: WiringContext;
  private readonly chainOf: ReadonlyMap<number, PlanChain>;
  private readonly placement: Placement | undefined;
  /** By the names of the ways: where their producers here send to, and where their consumers here take from. */
  private readonly outlets = new Map<string, Outlet>();
  private readonly queues = new Map<string, ElementQueue>();
  readonly partitions: Map<string, Partition> = new Map();

  /** `placement`: where the tasks are, if some are on other hosts. */
  constructor(plan: Plan, context: WiringContext, placement?: Placement) {
    this.plan = plan;
    this.context = context;
    this.placement = placement;
    this.chainOf = chainsByNode(plan);
  }

  connect(): void {
    for (const edge of this.plan.edges) if (edge.blocking) this.prepare(edge);
    let channel = 0;
    for (const way of waysOf(this.plan)) this.link(way, channel++);
  }

  /** Where a producer subtask sends to, in the order that its route counts. */
  outletsOf(edge: PlanEdge, producer: number): readonly Outlet[] {
    const [from, to] = [this.chainOf.get(edge.from)!, this.chainOf.get(edge.to)!];
    return consumersOf(edge, from, to, producer).map((consumer) => this.outlets.get(channelName(edge, producer, consumer))!);
  }

  channelsInto(chain: PlanChain, subtask: number): readonly InputChannel[] {
    return this.edgesInto(chain).flatMap((edge) =>
      Array.from({ length: this.chainOf.get(edge.from)!.parallelism }, (_, producer) =>
        this.queues.get(channelName(edge, producer, subtask)),
      ).flatMap((channel, producer) => (channel === undefined ? [] : [{ channel, input: edge.input, name: this.nameOf(edge, producer) }])),
    );
  }

  partitionsInto(chain: PlanChain, subtask: number): readonly InputPartition[] {
    return this.edgesInto(chain).flatMap((edge) => {
      const partition = this.partitions.get(partitionName(edge, subtask));
      return partition === undefined ? [] : [{ partition, input: edge.input, sorted: edge.sorted }];
    });
  }

  /** Tells a channel by what its user can see: it stands in checkpoints. */
  private nameOf({ from, output, input }: PlanEdge, producer: number): string {
    const { uid } = this.plan.graph.nodes[from]!;
    return `${uid}${output === null ? '' : `.${output}`}/${producer}>${input}`;
  }

  private edgesInto(chain: PlanChain): readonly PlanEdge[] {
    return this.plan.edges.filter(({ to }) => to === chain.nodes[0]);
  }

  private link({ edge, from, producer, to, consumer }: Way, channel: number): void {
    const { context, placement } = this;
    const name = channelName(edge, producer, consumer);
    const partition = this.partitions.get(partitionName(edge, consumer));
    if (isFinished(context.finished, from)) return;
    const isFromHere = this.isHere(from, producer);
    const isToHere = this.isHere(to, consumer);
    if (isFromHere && !isToHere) {
      this.outlets.set(
        name,
        placement!.outlet(channel, placement!.hostOf(to, consumer), this.gate(from, producer), this.plan.graph.nodes[edge.from]!.uid),
      );
    } else if (isFromHere && partition !== undefined) {
      this.outlets.set(name, partition);
    } else if (isFromHere) {
      const way = new Channel(this.gate(from, producer), () => context.wake(to, consumer));
      this.outlets.set(name, way);
      this.queues.set(name, way);
    } else if (isToHere) {
      const wake = partition === undefined ? () => context.wake(to, consumer) : () => drainInto(partition, inlet);
      const inlet: ElementQueue = placement!.inlet(channel, placement!.hostOf(from, producer), wake);
      if (partition === undefined) this.queues.set(name, inlet);
    }
  }

  /** The partitions of a blocking exchange whose consumers are here. */
  private prepare(edge: PlanEdge): void {
    const from = this.chainOf.get(edge.from)!;
    const to = this.chainOf.get(edge.to)!;
    const { sorted } = edge;
    const { workspace, finished, results: space, keepsResults: isKept } = this.context;
    if (isFinished(finished, to)) return;
    for (let consumer = 0; consumer < to.parallelism; consumer++) {
      if (!this.isHere(to, consumer)) continue;
      const name = partitionName(edge, consumer);
      const before = finished?.results[name];
      if (before instanceof Partition) {
        this.partitions.set(name, before);
        continue;
      }
      const onComplete = (): void => {
        this.context.onPartition(name, partition);
        this.context.wake(to, consumer);
      };
      const producers = producersOf(edge, from, to, consumer);
      const partition = new Partition({ producers, sorted, key: this.context.keyOf(edge), workspace, isKept, space, onComplete });
      if (before !== undefined) partition.restore(before, space!);
      this.partitions.set(name, partition);
    }
  }

  private gate(from: PlanChain, producer: number): CreditGate {
    const { credit, clock } = this.context;
    return new CreditGate(new CreditWindow(credit, clock), this.context.controlOf(from, producer));
  }

  private isHere(chain: PlanChain, subtask: number): boolean {
    return this.placement === undefined || this.placement.hostOf(chain, subtask) === this.placement.here;
  }
}

/** The partitions of all blocking exchanges that something goes to, each with the chains that it leads from and to, by id. */
export function partitionsOf(plan: Plan): readonly { readonly name: string; readonly from: number; readonly to: number }[] {
  const chainOf = chainsByNode(plan);
  return plan.edges
    .filter(({ blocking }) => blocking)
    .flatMap((edge) => {
      const [from, to] = [chainOf.get(edge.from)!, chainOf.get(edge.to)!];
      const consumers = Array.from({ length: to.parallelism }, (_, consumer) => consumer);
      const used = consumers.filter((consumer) => producersOf(edge, from, to, consumer) > 0);
      return used.map((consumer) => ({ name: partitionName(edge, consumer), from: from.id, to: to.id }));
    });
}

function isFinished(finished: FinishedRegions | undefined, { id }: PlanChain): boolean {
  return finished?.chains.includes(id) === true;
}

/** How many producer subtasks send to a consumer subtask. */
function producersOf(edge: PlanEdge, from: PlanChain, to: PlanChain, consumer: number): number {
  const all = Array.from({ length: from.parallelism }, (_, producer) => consumersOf(edge, from, to, producer));
  return all.filter((consumers) => consumers.includes(consumer)).length;
}

function chainsByNode({ chains }: Plan): ReadonlyMap<number, PlanChain> {
  return new Map(chains.flatMap((chain) => chain.nodes.map((node) => [node, chain] as const)));
}

/** The consumer subtasks that a producer subtask sends to. */
function consumersOf({ exchange }: PlanEdge, from: PlanChain, to: PlanChain, producer: number): readonly number[] {
  const [producers, consumers] = [from.parallelism, to.parallelism];
  if (exchange === 'forward') return [producer];
  if (exchange === 'global') return [0];
  const all = Array.from({ length: consumers }, (_, consumer) => consumer);
  if (exchange !== 'rescale') return all;
  // Rescale stays local: with more consumers each producer has its own, with fewer several producers share one.
  if (consumers >= producers) return all.filter((consumer) => Math.floor((consumer * producers) / consumers) === producer);
  return [Math.floor((producer * consumers) / producers)];
}

/** What comes to a partition is kept at once. */
function drainInto(partition: Partition, queue: ElementQueue): void {
  for (let element = queue.poll(); element !== undefined; element = queue.poll()) partition.push(element);
}

function partitionName(edge: PlanEdge, consumer: number): string {
  return `${edge.to}.${edge.index}/${consumer}`;
}

function channelName(edge: PlanEdge, producer: number, consumer: number): string {
  return `${edge.to}.${edge.index}/${producer}/${consumer}`;
}
