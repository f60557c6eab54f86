import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AlignmentReport, HostAlignment } from '../../src/runtime/hostAlignment.ts';
import { JobAlignment } from '../../src/runtime/jobAlignment.ts';
import type { SplitTarget, TaskHost } from '../../src/runtime/taskHost.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { type AlignmentMember, AlignmentGroups } from '../../src/time/watermarkAlignment.ts';

const GROUP = 'g';

/** One split, as the oracle knows it: all are members of one big group. */
interface Split {
  readonly host: number;
  readonly handle: AlignmentMember;
  at: number;
  state: 'active' | 'idle' | 'left';
}

/** A job's hosts, between which every message takes as long as the test wants. */
class World {
  readonly clock = new ManualClock();
  readonly splits: Split[] = [];
  readonly targets: readonly SplitTarget[];
  private readonly drift: number;
  /** To each host, and from each. */
  private readonly down: (() => void)[][];
  private readonly up: (() => void)[][];
  private readonly groups: readonly AlignmentGroups[];
  private readonly ends: (HostAlignment | undefined)[] = [];
  private readonly woken = new Set<Split>();

  /** `restored`: how many splits each host goes on with. */
  constructor(drift: number, restored: readonly number[]) {
    this.drift = drift;
    this.down = restored.map(() => []);
    this.up = restored.map(() => []);
    this.groups = restored.map(() => new AlignmentGroups());
    const hosts = restored.map((open, host) => this.host(host, open));
    const job = new JobAlignment(hosts, () => GROUP);
    job.start();
    this.targets = hosts.map(({ sources }) => job.watch(sources[0]!));
    // In the order in which the job has told: the host knows that its group is shared before it begins.
    restored.forEach((open, host) => this.down[host]!.splice(1, 0, () => Array.from({ length: open }, () => this.join(host))));
    restored.forEach((_, host) => [this.deliver('down', host), this.deliver('down', host)]);
  }

  deliver(direction: 'up' | 'down', host: number): boolean {
    const message = this[direction][host]!.shift();
    message?.();
    return message !== undefined;
  }

  /** Until nothing is under way and nobody has anything to tell. */
  settle(): void {
    const hosts = this.groups.keys();
    for (const host of [...hosts, ...this.groups.keys()]) while (this.deliver('down', host) || this.deliver('up', host));
    const next = this.clock.next();
    if (next === undefined && [...this.up, ...this.down].every((queue) => queue.length === 0)) return;
    if (next !== undefined) this.clock.advanceTo(next);
    this.settle();
  }

  get present(): readonly Split[] {
    return this.splits.filter(({ state }) => state !== 'left');
  }

  /** Those that would be read if all were one group. */
  get free(): readonly Split[] {
    const minimum = Math.min(...this.splits.filter(({ state }) => state === 'active').map(({ at }) => at));
    return this.present.filter(({ at }) => at <= minimum + this.drift);
  }

  get reading(): readonly Split[] {
    return this.present.filter(({ handle }) => handle.mayRead());
  }

  /** Does something; whoever waited and may go on must have been told. */
  step(action: () => void): void {
    const waiting = this.present.filter(({ handle }) => !handle.mayRead());
    this.woken.clear();
    action();
    const { reading, woken } = this;
    expect(waiting.filter((split) => reading.includes(split) && !woken.has(split))).toEqual([]);
  }

  private join(host: number): void {
    const handle = this.groups[host]!.join({ group: GROUP, maxDrift: { milliseconds: this.drift } }, () => this.woken.add(split));
    const split: Split = { host, handle, at: Number.MIN_SAFE_INTEGER, state: 'active' };
    this.splits.push(split);
  }

  private host(host: number, open: number): TaskHost {
    const down = this.down[host]!;
    const target: Partial<SplitTarget> = {
      node: 0,
      subtask: host,
      openSplits: () => Array.from({ length: open }, (_, i) => `${host}/${i}`),
      assign: (splits) =>
        void down.push(() => {
          for (const _ of splits) this.join(host);
          this.ends[host]!.onDealt(GROUP);
        }),
    };
    const part: Partial<TaskHost> = {
      sources: [target as SplitTarget],
      shareAlignment: (shared, told) =>
        void down.push(() => {
          this.ends[host] = new HostAlignment(
            this.groups[host]!,
            this.clock,
            shared,
            (report) => void this.up[host]!.push(() => told(report)),
          );
        }),
      align: (group, elsewhere) => void down.push(() => this.groups[host]!.align(group, elsewhere)),
    };
    return part as TaskHost;
  }
}

const HOSTS = 3;
const host = fc.nat({ max: HOSTS - 1 });
const split = fc.nat({ max: 9 });
const moves = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('report' as const), split, by: fc.nat({ max: 20 }) }), weight: 6 },
  { arbitrary: fc.record({ do: fc.constant('leave' as const), split }), weight: 1 },
  {
    arbitrary: fc.record({ do: fc.constant('deliver' as const), direction: fc.constantFrom('up' as const, 'down' as const), host }),
    weight: 6,
  },
  { arbitrary: fc.record({ do: fc.constant('tick' as const), by: fc.integer({ min: 1, max: 40 }) }), weight: 4 },
);
const further = fc.oneof(
  { arbitrary: moves, weight: 6 },
  { arbitrary: fc.record({ do: fc.constant('deal' as const), host }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('idle' as const), split }), weight: 1 },
);
type Move = typeof further extends fc.Arbitrary<infer M> ? M : never;

function act(world: World, it: Move): void {
  if (it.do === 'deliver') return void world.deliver(it.direction, it.host);
  if (it.do === 'tick') return world.clock.advanceTo(world.clock.now() + it.by);
  if (it.do === 'deal') return world.targets[it.host]!.assign([`${world.clock.now()}`]);
  const member = world.splits[it.split % world.splits.length];
  if (member === undefined || member.state === 'left') return;
  if (it.do === 'leave') {
    member.state = 'left';
    member.handle.leave();
  } else if (it.do === 'idle') {
    member.state = 'idle';
    member.handle.setIdle(true);
  } else {
    member.state = 'active';
    member.at = Math.max(0, member.at + it.by);
    member.handle.report(member.at);
  }
}

describe('alignment across hosts', () => {
  const restored = fc.array(fc.nat({ max: 2 }), { minLength: HOSTS, maxLength: HOSTS });

  test('comes to what one group of all members would be, and wakes whoever may go on', () => {
    fc.assert(
      fc.property(fc.nat({ max: 30 }), restored, fc.array(further, { maxLength: 80, size: 'max' }), (drift, open, script) => {
        const world = new World(drift, open);
        for (const it of script) world.step(() => act(world, it));
        world.step(() => world.settle());
        expect(world.reading).toEqual(world.free);
        // And whoever is the slowest is never stuck.
        if (world.present.some(({ state }) => state === 'active')) expect(world.reading).not.toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test('lets nobody ahead of where one group would, however long messages take', () => {
    fc.assert(
      fc.property(fc.nat({ max: 30 }), restored, fc.array(moves, { maxLength: 80, size: 'max' }), (drift, open, script) => {
        const world = new World(drift, open);
        for (const it of script) {
          world.step(() => act(world, it));
          const { free } = world;
          for (const split of world.reading) expect(free).toContain(split);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('is told at most every 20 ms, and not without need', () => {
    const world = new World(10, [1, 1, 0]);
    world.settle();
    expect(world.reading).toEqual(world.splits);
    const [one, other] = world.splits as [Split, Split];
    let told = 0;
    for (let i = 1; i <= 100; i++) {
      one.handle.report(i);
      other.handle.report(i);
      world.clock.advanceTo(world.clock.now() + 1);
      while (world.deliver('up', 0)) told++;
    }
    expect(told).toBe(5);
    world.settle();
    expect(world.clock.next()).toBeUndefined();
  });

  test('who has heard of splits and opens none holds nobody back', () => {
    const clock = new ManualClock();
    const reports: AlignmentReport[] = [];
    const end = new HostAlignment(new AlignmentGroups(), clock, [GROUP], (report) => reports.push(report));
    end.onDealt(GROUP);
    end.onDealt('of this host alone');
    clock.advanceTo(0);
    expect(reports).toEqual([{ group: GROUP, minimum: Infinity, dealt: 1 }]);
  });

  test('a host to which splits are dealt out holds the others from that moment on', () => {
    const world = new World(10, [1, 0, 0]);
    world.settle();
    const [first] = world.splits as [Split];
    first.handle.report(1000);
    first.at = 1000;
    world.settle();
    expect(world.reading).toEqual([first]);
    world.targets[1]!.assign(['late']);
    world.deliver('down', 0);
    expect(world.reading).toEqual([]);
    // What the host had reported before is of before.
    world.deliver('down', 1);
    const second = world.splits[1]!;
    second.handle.report(995);
    expect(world.reading).toEqual([second]);
    world.settle();
    expect(world.reading).toEqual([first, second]);
  });
});
