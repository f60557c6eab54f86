import type { PlanChain } from '../graph/plan.ts';
import type { CreditGate } from './creditWindow.ts';
import type { Outlet } from './exchange.ts';
import type { ElementQueue } from './channel.ts';

/** Which of a job's tasks run on this host, and the ways to and from those that do not. */
export interface Placement {
  /** The number of this host. */
  readonly here: number;
  /** The number of the host that a subtask runs on. */
  hostOf(chain: PlanChain, subtask: number): number;
  /** The way to a consumer on another host, for what the operator `uid` emits. */
  outlet(channel: number, to: number, gate: CreditGate, uid: string): Outlet;
  /** What comes from a producer on another host. `onElement` is called when something has come. */
  inlet(channel: number, from: number, onElement: () => void): ElementQueue;
}
