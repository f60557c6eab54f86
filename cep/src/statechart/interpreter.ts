import { MAX_TIMESTAMP, MillraceError, type Logger, type Timestamp } from '@millrace/core';
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import type { Delay } from './chart.ts';
import { actorRefused } from './refusals.ts';

/** An action as XState hands it over to be executed. */
interface Executable {
  readonly info: unknown;
  readonly params: unknown;
  readonly exec: ((info: unknown, params: unknown) => void) | undefined;
}

/**
 * Takes the machines of all keys of a subtask through their events, one at a time, as an actor would: the same order of actions, of
 * what they emit, raise, schedule and cancel, and of the events that a machine sends to itself. It changes nothing of what it is
 * given: the new snapshot, delays and emissions stand in its fields when a method has returned, and mean nothing when it has thrown.
 */
export class Interpreter {
  snapshot: AnyMachineSnapshot | undefined;
  delays: readonly Delay[] = [];
  emitted: unknown[] = [];
  /** The time at which things happen: delays count from it. */
  now: Timestamp = 0;

  private readonly machine: AnyStateMachine;
  private readonly scope: AnyActorScope;
  private readonly self: object;
  private readonly deferred: (() => void)[] = [];
  /** Events that the machine has sent to itself. */
  private readonly mailbox: EventObject[] = [];
  /** Delays that were started since the machine was loaded. */
  private readonly started = new Set<Delay>();
  private running = false;
  private starting = false;
  private actions = 0;
  private key = '';

  constructor(machine: AnyStateMachine, uid: string, logger: Logger) {
    this.machine = machine;
    const system = this.createSystem();
    this.self = this.createSelf(uid, system);
    this.scope = {
      self: this.self,
      id: machine.id,
      sessionId: uid,
      system,
      logger: (...args: unknown[]) => logger.info(args.map(String).join(' ')),
      defer: (fn: () => void) => void this.deferred.push(fn),
      emit: (event: unknown) => void this.emitted.push(event),
      stopChild: () => undefined,
      actionExecutor: (action: Executable) => this.execute(action),
    } as unknown as AnyActorScope;
  }

  /** Turns to the machine of a key; without a snapshot it is still to be started. */
  load(key: unknown, snapshot: AnyMachineSnapshot | undefined, delays: readonly Delay[]): void {
    this.key = String(key);
    this.snapshot = snapshot;
    this.delays = delays;
    this.emitted = [];
    this.deferred.length = this.mailbox.length = 0;
    if (this.started.size > 0) this.started.clear();
  }

  /** Forgets the delays that were started since the machine was loaded: how many. */
  dropNewDelays(): number {
    const { length } = this.delays;
    this.delays = this.delays.filter((delay) => !this.started.has(delay));
    return length - this.delays.length;
  }

  /** Starts the machine. */
  start(input: unknown): void {
    this.starting = true;
    this.guarded(() => {
      const snapshot = this.machine.getInitialSnapshot(this.scope, input) as AnyMachineSnapshot;
      this.settle(snapshot);
      this.starting = false;
      this.readMail();
    });
  }

  /** Sends an event. True when the machine did something about it. */
  send(event: EventObject): boolean {
    let handled = false;
    this.guarded(() => {
      handled = this.process(event);
      this.readMail();
    });
    return handled;
  }

  private guarded(run: () => void): void {
    this.running = true;
    try {
      run();
    } finally {
      this.running = this.starting = false;
    }
  }

  private readMail(): void {
    while (this.mailbox.length > 0 && this.snapshot!.status === 'active') this.process(this.mailbox.shift()!);
  }

  private process(event: EventObject): boolean {
    const before = this.snapshot!;
    this.actions = 0;
    this.settle(this.machine.transition(before, event, this.scope) as AnyMachineSnapshot);
    // A transition to the state that it comes from, without actions, changes nothing either.
    return this.snapshot !== before || this.actions > 0 || before.can(event);
  }

  /** Takes over a new snapshot, and then does what was put off until there is one. */
  private settle(snapshot: AnyMachineSnapshot): void {
    if (snapshot.status === 'error') throw snapshot.error;
    for (const child in snapshot.children) throw actorRefused(this.machine.id, `spawns the actor "${child}"`);
    this.snapshot = snapshot;
    for (let i = 0; i < this.deferred.length; i++) this.deferred[i]!();
    this.deferred.length = 0;
  }

  private execute({ exec, info, params }: Executable): void {
    this.actions++;
    if (exec === undefined) return;
    // As an actor does: the actions of its start wait until it has a snapshot.
    if (this.starting) this.deferred.push(() => exec(info, params));
    else exec(info, params);
  }

  private schedule(target: unknown, event: EventObject, delay: number, id: string | undefined): void {
    this.checkTarget(target);
    if (!Number.isFinite(delay)) {
      throw new MillraceError('cep/statechart', `Machine "${this.machine.id}" delays "${event.type}" by ${delay} ms.`, {
        remedy: 'A delay is a finite number of ms: look at what computes it.',
      });
    }
    const at = Math.min(Math.ceil(this.now + Math.max(delay, 0)), MAX_TIMESTAMP);
    const started: Delay = { id, event, at, cancellable: id !== undefined };
    this.started.add(started);
    this.delays = [...withoutHandle(this.delays, id), started];
  }

  private cancel(id: string): void {
    if (this.delays.length > 0) this.delays = this.delays.filter((delay) => !(delay.cancellable && delay.id === id));
  }

  /** What XState asks of the system of an actor: to run its delays and to pass events on. */
  private createSystem(): object {
    return {
      scheduler: {
        schedule: (_source: unknown, target: unknown, event: EventObject, delay: number, id?: string) =>
          this.schedule(target, event, delay, id),
        cancel: (_source: unknown, id: string) => this.cancel(id),
      },
      get: () => undefined,
      getAll: () => ({}),
      _relay: (_source: unknown, target: unknown, event: EventObject) => {
        this.checkTarget(target);
        this.mailbox.push(event);
      },
      _bookId: () => {
        throw actorRefused(this.machine.id, 'spawns an actor');
      },
      _sendInspectionEvent: () => undefined,
      _unregister: () => undefined,
    };
  }

  /** What actions see of their actor. */
  private createSelf(uid: string, system: object): object {
    const currentKey = (): string => this.key;
    return {
      get id(): string {
        return currentKey();
      },
      sessionId: uid,
      system,
      send: (event: EventObject) => {
        if (!this.running) throw actorRefused(this.machine.id, `is sent "${event.type}" by an action that went on after its event`);
        this.mailbox.push(event);
      },
      getSnapshot: () => this.snapshot,
      getPersistedSnapshot: () => this.machine.getPersistedSnapshot(this.snapshot!),
      toJSON: () => ({ id: this.key }),
    };
  }

  private checkTarget(target: unknown): void {
    if (target !== this.self) throw actorRefused(this.machine.id, 'sends to another actor');
  }
}

/** Once a delay of its id has been started, or is over, `cancel` no longer finds an older one. */
export function withoutHandle(delays: readonly Delay[], id: string | undefined): readonly Delay[] {
  if (id === undefined || delays.every((delay) => delay.id !== id || !delay.cancellable)) return delays;
  return delays.map((delay) => (delay.id === id ? { ...delay, cancellable: false } : delay));
}
