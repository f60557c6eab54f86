import { Scheduler, type Schedulable } from '../src/runtime/scheduler.ts';
import type { Platform } from '../src/runtime/platform.ts';
import { replaceMethod } from './replaceMethod.ts';

interface Turns {
  readonly platform: Platform;
  readonly queued: Set<Schedulable>;
}

/**
 * In place of tasks that take turns in their order: each waits among everything else that could happen next in its process, and does one
 * thing when it is picked. For a process that runs nothing but simulations; calling the result puts things back.
 */
export function seedTurns(): () => void {
  return replaceMethod(Scheduler, 'wake', () => (self, task: Schedulable) => {
    const { platform, queued } = self as unknown as Turns;
    if (queued.has(task)) return;
    queued.add(task);
    platform.later(() => {
      queued.delete(task);
      try {
        const { clock, random } = platform;
        // One thing, or several in one go.
        if (task.step(random!() < 0.6 ? -Infinity : clock.monotonic() + random!())) self.wake(task);
      } catch (error) {
        task.onError(error);
      }
    });
  });
}
