import { type Actor, type AnyStateMachine, createActor, createMachine } from 'xstate';

/** Where a job is in its life. */
export type JobStatus = 'created' | 'suspended' | 'running' | 'restarting' | 'stopping' | 'finished' | 'failed' | 'canceled';

type LifecycleEvent = { type: 'suspend' | 'start' | 'restart' | 'resume' | 'stop' | 'finish' | 'fail' | 'cancel' };

/** The life of a job. The control of a job is here and nowhere else; nothing on the data path goes through it. */
export const lifecycleMachine: AnyStateMachine = createMachine({
  types: {} as { events: LifecycleEvent },
  id: 'job',
  initial: 'created',
  states: {
    created: { on: { suspend: 'suspended', start: 'running', fail: 'failed', cancel: 'canceled' } },
    /** Waits for its checkpoint location, which another process holds. */
    suspended: { on: { start: 'running', fail: 'failed', cancel: 'canceled' } },
    running: { on: { restart: 'restarting', stop: 'stopping', finish: 'finished', fail: 'failed', cancel: 'canceled' } },
    /** Has failed, and will go on from its latest checkpoint. */
    restarting: { on: { resume: 'running', restart: 'restarting', fail: 'failed', cancel: 'canceled' } },
    stopping: { on: { finish: 'finished', fail: 'failed', cancel: 'canceled' } },
    finished: { type: 'final' },
    failed: { type: 'final' },
    canceled: { type: 'final' },
  },
});

/** One job's life. */
export class Lifecycle {
  private readonly actor: Actor<AnyStateMachine> = createActor(lifecycleMachine).start();

  get status(): JobStatus {
    return this.actor.getSnapshot().value as JobStatus;
  }

  get isOver(): boolean {
    return this.actor.getSnapshot().status === 'done';
  }

  /** Sends an event; false when it means nothing in the present state. */
  send(type: LifecycleEvent['type']): boolean {
    const able = this.actor.getSnapshot().can({ type });
    if (able) this.actor.send({ type });
    return able;
  }

  /** Calls back on every change of status. */
  subscribe(listener: (status: JobStatus) => void): () => void {
    const subscription = this.actor.subscribe((snapshot) => listener(snapshot.value as JobStatus));
    return () => subscription.unsubscribe();
  }
}
