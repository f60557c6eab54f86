import type { Plan, PlanChain, PlanEdge } from '../graph/plan.ts';
import type { GraphNode } from '../graph/node.ts';
import type { SourceOperator } from '../operators/source.ts';
import type { Emit } from '../operators/operatorContext.ts';
import { AlignmentGroups } from '../time/watermarkAlignment.ts';
import { Chain } from './chain.ts';
import { Channel } from './channel.ts';
import { ChannelFeed, type InputChannel } from './channelFeed.ts';
import { Control } from './control.ts';
import { customRoute, ExchangeWriter, fixedRoute, hashRoute, type Outlet, type Route, roundRobinRoute } from './exchange.ts';
import type { Link, Target } from './link.ts';
import type { Scheduler } from './scheduler.ts';
import { SourceFeed } from './sourceFeed.ts';
import { instantiate, type JobScope, type SubtaskInstance } from './subtaskBuilder.ts';
import { type Feed, Task, type TaskListener, type TaskWriter } from './task.ts';

/** A source's subtask: where its splits go. */
export interface SourceTask {
  readonly node: GraphNode;
  readonly subtask: number;
  readonly feed: SourceFeed;
  readonly task: Task;
}

/** All tasks of a job on this thread. */
export interface TaskGraph {
  readonly tasks: readonly Task[];
  readonly sources: readonly SourceTask[];
  readonly instances: readonly { readonly instance: SubtaskInstance; readonly task: Task }[];
  /** The channels of nodes that are fed by hand, by node. */
  readonly inputs: ReadonlyMap<number, Channel>;
}

/** Turns a plan into tasks: an instance per node and subtask, channels between them. */
export class TaskGraphBuilder {
  private readonly plan: Plan;
  private readonly scope: JobScope;
  private readonly scheduler: Scheduler;
  private readonly listener: TaskListener;
  private readonly alignment = new AlignmentGroups();
  private readonly controls = new Map<string, Control>();
  private readonly tasksByPlace = new Map<string, Task>();
  private readonly channels = new Map<string, Channel>();
  private readonly sources: SourceTask[] = [];
  private readonly inputs = new Map<number, Channel>();
  private readonly instances: { instance: SubtaskInstance; task: Task }[] = [];
  private readonly chainOf = new Map<number, PlanChain>();

  constructor(plan: Plan, scope: JobScope, scheduler: Scheduler, listener: TaskListener) {
    this.plan = plan;
    this.scope = scope;
    this.scheduler = scheduler;
    this.listener = listener;
    for (const chain of plan.chains) for (const node of chain.nodes) this.chainOf.set(node, chain);
  }

  build(): TaskGraph {
    for (const chain of this.plan.chains)
      for (let i = 0; i < chain.parallelism; i++) this.controls.set(place(chain, i), this.control(place(chain, i)));
    for (const edge of this.plan.edges) this.connect(edge);
    for (const chain of this.plan.chains) for (let i = 0; i < chain.parallelism; i++) this.buildTask(chain, i);
    return { tasks: [...this.tasksByPlace.values()], sources: this.sources, instances: this.instances, inputs: this.inputs };
  }

  private control(at: string): Control {
    return new Control(() => this.wake(at));
  }

  private wake(at: string): void {
    const task = this.tasksByPlace.get(at);
    if (task !== undefined && !task.isOver) this.scheduler.wake(task);
  }

  /** The channels of an edge: which subtask leads to which. */
  private connect(edge: PlanEdge): void {
    const from = this.chainOf.get(edge.from)!;
    const to = this.chainOf.get(edge.to)!;
    for (let producer = 0; producer < from.parallelism; producer++) {
      for (const consumer of consumersOf(edge, producer, from.parallelism, to.parallelism)) {
        const channel = new Channel(this.controls.get(place(from, producer))!, () => this.wake(place(to, consumer)));
        this.channels.set(channelName(edge, producer, consumer), channel);
      }
    }
  }

  private buildTask(chain: PlanChain, subtask: number): void {
    const at = place(chain, subtask);
    const control = this.controls.get(at)!;
    const instances = chain.nodes.map((id) =>
      instantiate(this.plan.graph.nodes[id]!, { index: subtask, parallelism: chain.parallelism }, this.scope),
    );
    const writers: TaskWriter[] = [];
    const links = instances.map((instance, link) => this.link(instance, link, chain, subtask, writers));
    let task: Task | undefined;
    const runtime = new Chain(links, control, (link, watermark) => task!.forwardWatermark(link, watermark));
    const feed = this.feed(chain, subtask, instances[0]!);
    const name = `${instances[0]!.node.uid} (${subtask + 1}/${chain.parallelism})`;
    const built = new Task({ name, chain: runtime, control, feed, writers, clock: this.scope.clock, listener: this.listener });
    task = built;
    built.wake = () => this.wake(at);
    for (const { context } of instances) connectContext(context, built);
    this.tasksByPlace.set(at, built);
    if (feed instanceof SourceFeed) this.sources.push({ node: instances[0]!.node, subtask, feed, task: built });
    for (const instance of instances) this.instances.push({ instance, task: built });
  }

  private link(
    { node, behaviour, operator, context, policy, reject }: SubtaskInstance,
    link: number,
    chain: PlanChain,
    subtask: number,
    writers: TaskWriter[],
  ): Link {
    const targetsOf = (output: string | null): Target[] => {
      const inside = chain.nodes.flatMap((id, child): Target[] => {
        const consumer = this.plan.graph.nodes[id]!;
        return consumer.edges
          .filter((edge) => edge.from === node.id && edge.output === output && child > 0)
          .map((edge) => ({ kind: 'link', link: child, input: edge.input }));
      });
      const outside = this.plan.edges
        .filter((edge) => edge.from === node.id && edge.output === output)
        .map((edge): Target => ({ kind: 'writer', push: this.writer(edge, subtask, link, writers) }));
      return [...inside, ...outside];
    };
    const takenSides = new Set(
      [...this.plan.graph.nodes.flatMap(({ edges }) => edges)].flatMap((edge) =>
        edge.from === node.id && edge.output !== null ? [edge.output] : [],
      ),
    );
    const sides = new Map([...takenSides].map((side) => [side, targetsOf(side)]));
    return { uid: node.uid, operator, context, keys: behaviour.keys ?? [], targets: targetsOf(null), sides, policy, reject };
  }

  private writer(edge: PlanEdge, subtask: number, link: number, writers: TaskWriter[]): Emit {
    const from = this.chainOf.get(edge.from)!;
    const to = this.chainOf.get(edge.to)!;
    const consumers = consumersOf(edge, subtask, from.parallelism, to.parallelism);
    const outlets: Outlet[] = consumers.map((consumer) => this.channels.get(channelName(edge, subtask, consumer))!);
    const writer = new ExchangeWriter(outlets, this.route(edge, subtask, outlets.length));
    writers.push({ link, writer });
    return writer.push;
  }

  private route(edge: PlanEdge, subtask: number, channels: number): Route | 'all' {
    const behaviour = this.scope.builder.behaviour(edge.to);
    switch (edge.exchange) {
      case 'hash':
        return hashRoute(behaviour.keys![edge.input]!, this.plan.maxParallelism, channels);
      case 'custom':
        return customRoute(behaviour.partitioners!.get(edge.index)!, channels);
      case 'broadcast':
        return 'all';
      case 'rebalance':
      case 'rescale':
        return roundRobinRoute(channels, subtask);
      case 'forward':
      case 'global':
        return fixedRoute(0);
    }
  }

  private feed(chain: PlanChain, subtask: number, head: SubtaskInstance): Feed {
    const { source } = head.behaviour;
    if (source !== undefined) {
      const { bounded, concurrentSplits = bounded ? 1 : Infinity } = source.definition;
      const { time } = source;
      const { clock } = this.scope;
      return new SourceFeed({
        uid: head.node.uid,
        operator: head.operator as SourceOperator,
        time,
        concurrentSplits: time?.alignment === undefined ? concurrentSplits : Infinity,
        clock,
        alignment: this.alignment,
        bounded: this.plan.mode === 'batch',
      });
    }
    const channels = this.inputChannels(chain, subtask);
    if (head.node.kind !== 'input') return new ChannelFeed(channels);
    const channel = new Channel(new Control(() => undefined), () => this.wake(place(chain, subtask)));
    this.inputs.set(head.node.id, channel);
    return new ChannelFeed([{ channel, input: 0 }]);
  }

  private inputChannels(chain: PlanChain, subtask: number): InputChannel[] {
    const head = chain.nodes[0]!;
    return this.plan.edges
      .filter((edge) => edge.to === head)
      .flatMap((edge) => {
        const producers = Array.from({ length: this.chainOf.get(edge.from)!.parallelism }, (_, producer) =>
          this.channels.get(channelName(edge, producer, subtask)),
        );
        return producers.flatMap((channel) => (channel === undefined ? [] : [{ channel, input: edge.input }]));
      });
  }
}

function connectContext(context: SubtaskInstance['context'], task: Task): void {
  const { control } = task;
  context.wake = () => task.wake();
  context.mail = (letter) => task.mail(letter);
  context.hasCredit = () => !control.blocked;
  context.pause = () => control.pause();
  context.block = () => control.block();
  context.unblock = () => control.unblock();
}

/** The consumer subtasks that a producer subtask sends to. */
function consumersOf({ exchange }: PlanEdge, producer: number, producers: number, consumers: number): number[] {
  if (exchange === 'forward') return [producer];
  if (exchange === 'global') return [0];
  const all = Array.from({ length: consumers }, (_, consumer) => consumer);
  if (exchange !== 'rescale') return all;
  // Rescale stays local: with more consumers each producer has its own, with fewer several producers share one.
  if (consumers >= producers) return all.filter((consumer) => Math.floor((consumer * producers) / consumers) === producer);
  return [Math.floor((producer * consumers) / producers)];
}

function place(chain: PlanChain, subtask: number): string {
  return `${chain.id}/${subtask}`;
}

function channelName(edge: PlanEdge, producer: number, consumer: number): string {
  return `${edge.to}.${edge.index}/${producer}/${consumer}`;
}
