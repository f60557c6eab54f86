import { type Alignment, BarrierAligner } from '../checkpoint/barrierAligner.ts';
import type { Barrier, Element } from '../element/element.ts';
import { WatermarkValve, type WatermarkValveSnapshot } from '../time/watermarkValve.ts';
import type { ElementQueue } from './channel.ts';
import type { Feed, Task } from './task.ts';

/** A channel and the input of the chain's first operator that it leads to. */
export interface InputChannel {
  readonly channel: ElementQueue;
  readonly input: number;
  /** Who sends by it, and to which input: the same after a restore of the same job. */
  readonly name?: string;
}

/** The time of each channel, and which they are. Without names, as older versions wrote it: by their number alone. */
interface ChannelFeedSnapshot extends WatermarkValveSnapshot {
  readonly names?: readonly string[];
}

/** Feeds a task from the channels of its inputs, in turn, and keeps their common time. */
export class ChannelFeed implements Feed {
  private readonly channels: readonly InputChannel[];
  private readonly valve: WatermarkValve;
  private readonly aligner: BarrierAligner;
  /** The barrier that is being aligned. */
  private barrier: Barrier | undefined;
  /** How many channels of each input are still open. */
  private readonly open: number[] = [];
  private turn = 0;
  private drained = true;
  /** An input whose end the operator has not fully dealt with. */
  private ending: number | undefined;

  constructor(channels: readonly InputChannel[], exactlyOnce = true) {
    this.channels = channels;
    this.aligner = new BarrierAligner(channels.length, exactlyOnce);
    this.valve = new WatermarkValve(channels.length);
    for (const { input } of channels) this.open[input] = (this.open[input] ?? 0) + 1;
  }

  snapshot(): ChannelFeedSnapshot {
    return { ...this.valve.snapshot(), names: this.names() };
  }

  /** As many channels of other producers are other channels: they begin where the task's time stood. */
  restore({ watermark, channels, names }: ChannelFeedSnapshot): void {
    const mine = this.names();
    const isSame = names === undefined || (names.length === mine.length && names.every((name, at) => name === mine[at]));
    this.valve.restore({ watermark, channels: isSame ? channels : [] });
  }

  private names(): readonly string[] {
    return this.channels.map(({ name = '' }) => name);
  }

  next(task: Task): boolean {
    if (this.channels.length === 0) {
      // A subtask that nothing is dealt to, such as the second of a global exchange.
      task.end(true);
      return true;
    }
    if (this.ending !== undefined) {
      if (!task.chain.endInput(this.ending)) return false;
      this.ending = undefined;
    }
    for (let tried = 0; tried < this.channels.length; tried++) {
      const at = this.turn;
      this.turn = at + 1 === this.channels.length ? 0 : at + 1;
      if (this.aligner.isBlocked(at)) continue;
      const element = this.channels[at]!.channel.poll();
      if (element === undefined) continue;
      this.dispatch(task, at, element);
      return true;
    }
    return false;
  }

  private dispatch(task: Task, at: number, element: Element): void {
    const { input } = this.channels[at]!;
    switch (element.kind) {
      case 'records':
        return task.take({ input, values: element.values, timestamps: element.timestamps, at: 0 });
      case 'watermark':
        if (this.valve.advance(at, element.timestamp)) task.passTime(this.valve.output);
        return;
      case 'status':
        if (this.valve.setIdle(at, element.idle)) task.passTime(this.valve.output);
        return;
      case 'end':
        return this.endChannel(task, at, input, element.drained);
      case 'barrier':
        return this.align(task, at, element);
    }
  }

  /** Barriers come by the channels, as long as there is one that can bring them. */
  get takesBarriersItself(): boolean {
    return this.open.some((channels) => channels > 0);
  }

  /** The coordinator has given a checkpoint up. */
  abortCheckpoint(checkpoint: number): void {
    this.aligner.abort(checkpoint);
  }

  private align(task: Task, at: number, barrier: Barrier): void {
    const { checkpoint } = barrier;
    const alignment = this.aligner.barrier(at, checkpoint);
    if (alignment.completed === checkpoint || this.aligner.pending === checkpoint) this.barrier = barrier;
    this.take(task, alignment);
  }

  private take(task: Task, { completed, aborted }: Alignment): void {
    if (aborted !== undefined) task.abortCheckpoint(aborted);
    if (completed !== undefined) task.takeCheckpoint(this.barrier!);
  }

  private endChannel(task: Task, at: number, input: number, drained: boolean): void {
    this.drained &&= drained;
    this.open[input]!--;
    if (this.open.every((channels) => channels === 0)) return task.end(this.drained);
    this.take(task, this.aligner.end(at));
    // Where the job is being stopped time stands still: a channel that fell silent must not let the others run ahead.
    if (!this.drained) return;
    if (this.valve.end(at)) task.passTime(this.valve.output);
    if (this.open[input] === 0 && !task.chain.endInput(input)) this.ending = input;
  }
}
