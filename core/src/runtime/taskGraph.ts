import type { Plan, PlanChain, PlanEdge } from '../graph/plan.ts';
import type { GraphNode } from '../graph/node.ts';
import type { SourceOperator } from '../operators/source.ts';
import type { Emit, OperatorContext } from '../operators/operatorContext.ts';
import { NO_TIMESTAMP } from '../time/timestamp.ts';
import { AlignmentGroups } from '../time/watermarkAlignment.ts';
import { Chain } from './chain.ts';
import { Channel } from './channel.ts';
import { BatchFeed } from './batchFeed.ts';
import { ChannelFeed } from './channelFeed.ts';
import { Control } from './control.ts';
import { CreditGate, CreditWindow } from './creditWindow.ts';
import { customRoute, ExchangeWriter, fixedRoute, hashRoute, type KeyGroupRoute, type Route, roundRobinRoute } from './exchange.ts';
import type { Link, Target } from './link.ts';
import type { Partition } from './partition.ts';
import type { Placement } from './placement.ts';
import type { Scheduler } from './scheduler.ts';
import { SourceFeed } from './sourceFeed.ts';
import { instantiate, type JobScope, type SubtaskInstance } from './subtaskBuilder.ts';
import { type Feed, Task, type TaskListener, type TaskWriter } from './task.ts';
import { Wiring } from './wiring.ts';

/** A source's subtask: where its splits go. */
export interface SourceTask {
  readonly node: GraphNode;
  readonly subtask: number;
  readonly feed: SourceFeed;
  readonly task: Task;
}

/** The tasks of a job on this host. */
export interface TaskGraph {
  readonly tasks: readonly Task[];
  readonly sources: readonly SourceTask[];
  readonly instances: readonly { readonly instance: SubtaskInstance; readonly task: Task }[];
  /** The channels of nodes that are fed by hand, by node. */
  readonly inputs: ReadonlyMap<number, Channel>;
  /** The tasks of each chain, by its id. */
  readonly byChain: ReadonlyMap<number, readonly Task[]>;
  /** What goes through blocking exchanges, by name. */
  readonly partitions: ReadonlyMap<string, Partition>;
  readonly alignment: AlignmentGroups;
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
  private readonly sources: SourceTask[] = [];
  private readonly inputs = new Map<number, Channel>();
  private readonly byChain = new Map<number, Task[]>();
  private readonly instances: { instance: SubtaskInstance; task: Task }[] = [];
  private readonly wiring: Wiring;
  private readonly placement: Placement | undefined;

  /** `placement`: where the tasks are, if some are on other hosts. */
  constructor(plan: Plan, scope: JobScope, scheduler: Scheduler, listener: TaskListener, placement?: Placement) {
    this.plan = plan;
    this.scope = scope;
    this.scheduler = scheduler;
    this.listener = listener;
    this.placement = placement;
    const context = {
      controlOf: (chain: PlanChain, subtask: number) => this.controls.get(place(chain, subtask))!,
      wake: (chain: PlanChain, subtask: number) => this.wake(place(chain, subtask)),
      keyOf: (edge: PlanEdge) => scope.builder.behaviour(edge.to).keys?.[edge.input],
      workspace: scope.workspace,
      credit: scope.credit,
      clock: scope.clock,
      onPartition: (name: string, partition: Partition) => listener.onPartition(name, partition),
      keepsResults: scope.keepsResults === true,
      results: scope.results,
      finished: scope.finished,
    };
    this.wiring = new Wiring(plan, context, placement);
  }

  build(): TaskGraph {
    this.eachSubtask((chain, subtask) => this.controls.set(place(chain, subtask), this.control(place(chain, subtask))));
    this.wiring.connect();
    this.eachSubtask((chain, subtask) => this.buildTask(chain, subtask));
    const { sources, instances, inputs, byChain, alignment } = this;
    return { tasks: [...this.tasksByPlace.values()], sources, instances, inputs, byChain, partitions: this.wiring.partitions, alignment };
  }

  private eachSubtask(visit: (chain: PlanChain, subtask: number) => void): void {
    const { placement } = this;
    for (const chain of this.plan.chains) {
      if (this.scope.finished?.chains.includes(chain.id) === true) continue;
      for (let subtask = 0; subtask < chain.parallelism; subtask++) {
        if (placement === undefined || placement.hostOf(chain, subtask) === placement.here) visit(chain, subtask);
      }
    }
  }

  private control(at: string): Control {
    return new Control(() => this.wake(at));
  }

  private wake(at: string): void {
    const task = this.tasksByPlace.get(at);
    if (task !== undefined && !task.isOver) this.scheduler.wake(task);
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
    const runtime = new Chain(links, control, (link, watermark) => task!.forwardWatermark(link, watermark), this.scope.generateCode);
    const feed = this.feed(chain, subtask, instances[0]!);
    const name = taskName(this.plan, chain, subtask);
    const built = new Task({
      name,
      index: subtask,
      parallelism: chain.parallelism,
      chain: runtime,
      control,
      feed,
      writers,
      clock: this.scope.clock,
      listener: this.listener,
    });
    task = built;
    this.byChain.set(chain.id, [...(this.byChain.get(chain.id) ?? []), built]);
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
        .map((edge): Target => ({ kind: 'writer', push: this.writer(edge, subtask, { link, context }, writers) }));
      return [...inside, ...outside];
    };
    const edgesFromSides = this.plan.graph.nodes.flatMap(({ edges }) =>
      edges.filter(({ from, output }) => from === node.id && output !== null),
    );
    const taken = new Set(edgesFromSides.map(({ output }) => output!));
    const sides = new Map([...taken].map((side) => [side, targetsOf(side)]));
    return { uid: node.uid, operator, context, keys: behaviour.keys ?? [], targets: targetsOf(null), sides, policy, reject };
  }

  private writer(
    edge: PlanEdge,
    subtask: number,
    { link, context }: { readonly link: number; readonly context: OperatorContext },
    writers: TaskWriter[],
  ): Emit {
    const outlets = this.wiring.outletsOf(edge, subtask);
    const reject = (error: unknown, value: unknown): void => {
      context.reject(error, value, NO_TIMESTAMP);
      // It was counted as sent before its way was asked for.
      context.metrics.diverted++;
    };
    const writer = new ExchangeWriter(outlets, this.route(edge, subtask, outlets.length, reject));
    writers.push({ link, writer });
    return writer.push;
  }

  private route(
    edge: PlanEdge,
    subtask: number,
    channels: number,
    reject: (error: unknown, value: unknown) => void,
  ): Route | KeyGroupRoute | 'all' {
    const behaviour = this.scope.builder.behaviour(edge.to);
    switch (edge.exchange) {
      case 'hash':
        return hashRoute(behaviour.keys![edge.input]!, this.plan.maxParallelism, channels);
      case 'custom':
        return customRoute(behaviour.partitioners!.get(edge.index)!, channels, reject);
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
        concurrentSplits: (split) =>
          time?.alignment !== undefined ? Infinity : typeof concurrentSplits === 'number' ? concurrentSplits : concurrentSplits(split),
        clock,
        alignment: this.alignment,
        bounded: this.plan.mode === 'batch',
      });
    }
    if (head.node.kind === 'input') return this.manualFeed(chain, subtask, head.node.id);
    const partitions = this.wiring.partitionsInto(chain, subtask);
    if (partitions.length === 0) return new ChannelFeed(this.wiring.channelsInto(chain, subtask), this.scope.exactlyOnce);
    return new BatchFeed(partitions, { firstInput: head.node.traits.firstInput, timed: head.operator.ignoresTime !== true });
  }

  private manualFeed(chain: PlanChain, subtask: number, node: number): Feed {
    const channel = new Channel(new CreditGate(new CreditWindow(this.scope.credit, this.scope.clock), new Control(() => undefined)), () =>
      this.wake(place(chain, subtask)),
    );
    this.inputs.set(node, channel);
    return new ChannelFeed([{ channel, input: 0 }]);
  }
}

/** What people call a subtask, and checkpoints its part. */
export function taskName(plan: Plan, chain: PlanChain, subtask: number): string {
  return `${plan.graph.nodes[chain.nodes[0]!]!.uid} (${subtask + 1}/${chain.parallelism})`;
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

function place(chain: PlanChain, subtask: number): string {
  return `${chain.id}/${subtask}`;
}
