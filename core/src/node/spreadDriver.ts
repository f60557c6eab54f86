import { checkSameGraph, type HostAssignment, hostOf, type JobAssignment } from '../runtime/hostAssignment.ts';
import type { HostDriver } from '../runtime/hostDriver.ts';
import type { HostLink } from '../runtime/hostLink.ts';
import { type HostParts, LocalHost } from '../runtime/localHost.ts';
import type { ResultStore } from '../runtime/regionLedger.ts';
import type { Placement } from '../runtime/placement.ts';
import type { Port } from '../runtime/remoteCalls.ts';
import { type Place, RemoteHost } from '../runtime/remoteHost.ts';
import type { HostListener, TaskHost } from '../runtime/taskHost.ts';
import { keptDirectory, ResultDirectory } from './keptDirectory.ts';

/** The ways from one host to the others. */
export interface HostLinks {
  to(host: number): HostLink;
  /** Takes what has come, where nobody calls with it. */
  look?(): void;
  /** Looks whenever there is something to see. */
  watch?(): void;
}

/** A thread or process that was started for a host. */
export interface Mate {
  readonly port: Port;
  /** The graph that it has built: see `fingerprint`. */
  readonly nodes: readonly string[];
  /** `lost` is told when it is gone; at once if it is gone already. */
  onLost(lost: (error: unknown) => void): void;
}

/** Those who run the hosts of one attempt. */
export interface Crew {
  /** The ways of host 0. */
  readonly links: HostLinks;
  /** Starts another; rejects if it cannot be had, or cannot build the job. */
  hire(assignment: HostAssignment): Promise<Mate>;
  /** Ends all. */
  dismiss(): Promise<void>;
}

/** Runs the tasks of a job on a crew: of threads, or of processes. */
export class SpreadDriver implements HostDriver {
  private readonly assignment: JobAssignment;
  private readonly gather: (parts: HostParts, assignment: JobAssignment) => Promise<Crew>;
  private crew: Crew | undefined;
  private directory: ResultDirectory | undefined;

  constructor(assignment: JobAssignment, gather: (parts: HostParts, assignment: JobAssignment) => Promise<Crew>) {
    this.assignment = assignment;
    this.gather = gather;
  }

  get results(): ResultStore {
    return {
      isWhole: async (records) => this.directory?.isWhole(records) ?? false,
      drop: (records) => this.directory?.drop(records),
      retain: async (records) => this.directory?.retain(records),
    };
  }

  async hosts(parts: HostParts, listener: HostListener): Promise<readonly TaskHost[]> {
    if (parts.keepsResults === true) this.directory ??= await ResultDirectory.make();
    const crew = await this.gather(parts, this.assignment);
    this.crew = crew;
    const numbers = Array.from({ length: this.assignment.hosts - 1 }, (_, i) => i + 1);
    // Where all of a host's tasks are over, there is nothing for it to do.
    const needed = numbers.filter((here) => this.placesOf(here, parts).length > 0);
    const remote = needed.map(async (here) => this.launch(crew, here, parts, listener));
    await Promise.allSettled(remote);
    return [...this.local(crew, parts, listener), ...(await Promise.all(remote))];
  }

  async release(): Promise<void> {
    await this.crew?.dismiss();
    this.crew = undefined;
  }

  async end(): Promise<void> {
    await this.directory?.remove();
    this.directory = undefined;
  }

  /** What only this thread has runs on this thread. */
  private local({ links }: Crew, parts: HostParts, listener: HostListener): readonly TaskHost[] {
    if (this.placesOf(0, parts).length === 0) return [];
    const results = this.directory && keptDirectory(this.directory.path);
    const host = new LocalHost({ ...parts, results }, listener, placementOf({ ...this.assignment, here: 0 }, parts, links));
    attach(host, links);
    return [host];
  }

  private async launch(crew: Crew, here: number, parts: HostParts, listener: HostListener): Promise<RemoteHost> {
    const { epoch, lineage, plan, finished } = parts;
    const resultDirectory = this.directory?.path;
    const mate = await crew.hire({
      ...this.assignment,
      here,
      epoch,
      lineage,
      resultDirectory,
      finished: finished && { ...finished, reports: [] },
    });
    checkSameGraph(plan.graph, mate.nodes);
    const host = new RemoteHost(mate.port, parts, this.placesOf(here, parts), listener);
    mate.onLost((error) => {
      host.lose(error);
      listener.onFailed(error);
    });
    return host;
  }

  private placesOf(host: number, { plan, finished }: HostParts): readonly Place[] {
    const { hosts, deadLettersElsewhere } = this.assignment;
    const chains = plan.chains.filter(({ id }) => finished?.chains.includes(id) !== true);
    const places = chains.flatMap((chain) => Array.from({ length: chain.parallelism }, (_, subtask) => ({ chain, subtask })));
    return places.filter(({ chain, subtask }) => hostOf(plan, chain, subtask, hosts, deadLettersElsewhere) === host);
  }
}

/** Lets a host see what comes from others. */
export function attach({ scheduler }: LocalHost, links: HostLinks): void {
  if (links.look !== undefined) scheduler.look = () => links.look!();
  links.watch?.();
}

/** Where a host's tasks are, with the ways to those of the others. */
export function placementOf(
  { here, hosts, deadLettersElsewhere }: Pick<HostAssignment, 'here' | 'hosts' | 'deadLettersElsewhere'>,
  { plan }: Pick<HostParts, 'plan'>,
  links: HostLinks,
): Placement {
  return {
    here,
    hostOf: (chain, subtask) => hostOf(plan, chain, subtask, hosts, deadLettersElsewhere),
    outlet: (channel, to, gate, uid) => links.to(to).outlet(channel, gate, uid),
    inlet: (channel, from, onElement) => links.to(from).inlet(channel, onElement),
  };
}
