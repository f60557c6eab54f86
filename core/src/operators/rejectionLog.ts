import type { Subtask } from './operatorContext.ts';

/** How many rejections of an operator are logged one by one; their number is a metric. */
const LOGGED = 3;

/** Logs one of an operator's first rejections; to be called when it was counted. */
export function logRejection({ uid, logger, metrics }: Subtask, code: string, what: string): void {
  if (metrics.rejected > LOGGED) return;
  const last = metrics.rejected === LOGGED ? ' Further ones are only counted.' : '';
  logger.warn(`[${code}] uid "${uid}": ${/[.!?]$/.test(what) ? what : `${what}.`}${last}`, { code, uid });
}
