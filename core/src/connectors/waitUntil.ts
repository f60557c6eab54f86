import type { ReadContext } from '../operators/connector.ts';

/** A timeout can be late by this much, in ms: what is due sooner is waited for by turns of the event loop. */
const TIMEOUT_ERROR = 2;
/** Less than this is no wait for a timeout, in ms. */
const SHORTEST = 0.001;
/** A clock that shows the same time for so many turns moves in steps (or by hand). */
const STEADY_TURNS = 1000;

/**
 * Waits until the clock's monotone reading is `due`, to within a turn of the event loop, or the signal says so. Shortly before, it keeps
 * the event loop turning, which costs a core but lets everything else have its turn.
 */
export async function waitUntil(due: number, context: ReadContext): Promise<void> {
  const { clock, signal } = context;
  const far = due - clock.monotonic() - TIMEOUT_ERROR;
  if (far > 0) await timeout(Math.ceil(far), context);
  if (!signal.aborted && clock.monotonic() < due) await turns(due, context);
}

function timeout(milliseconds: number, { clock, signal }: ReadContext): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.schedule(clock.now() + milliseconds, end);
    signal.addEventListener('abort', end);
  });
}

function turns(due: number, { clock, later, signal }: ReadContext): Promise<void> {
  return new Promise((resolve) => {
    let before = clock.monotonic();
    let steady = 0;
    const look = (): void => {
      const now = clock.monotonic();
      steady = now === before ? steady + 1 : 0;
      before = now;
      if (now >= due || signal.aborted) resolve();
      else if (steady < STEADY_TURNS) later(look);
      else clock.schedule(clock.now() + Math.min(1, Math.max(due - now, SHORTEST)), look);
    };
    later(look);
  });
}
