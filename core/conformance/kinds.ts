import { assign, invalidConfig, merge, mergingWindowSet, start } from './assigners.ts';
import { asyncWait } from './async.ts';
import { barrierAlignment } from './barrierAlignment.ts';
import { batchReduce, pipeline } from './batch.ts';
import { failover } from './failover.ts';
import { coGroup, interval, intervalState, intervalSteps, refusals, windowJoin, windowJoinTime } from './joins.ts';
import { defaultMax, ofHash, ranges } from './keyGroups.ts';
import type { Kind } from './outcome.ts';
import { keyedProcess } from './process.ts';
import type { Case } from './table.ts';
import { processingTimerService, timerService } from './timers.ts';
import { trigger } from './triggers.ts';
import { ttl } from './ttl.ts';
import { twoPhaseCommit } from './twoPhaseCommit.ts';
import { boundedOutOfOrderness, idlenessTimer, multiplexer, valve } from './watermarks.ts';
import { windowOperator } from './windows.ts';

/** How cases run, by their kind. Each knows what its input looks like. */
export const KINDS: Readonly<Record<string, Kind<never>>> = {
  assign,
  asyncWait,
  barrierAlignment,
  batchReduce,
  boundedOutOfOrderness,
  coGroup,
  defaultMaxParallelism: defaultMax,
  failover,
  idlenessTimer,
  intervalJoin: interval,
  intervalJoinState: intervalState,
  intervalJoinSteps: intervalSteps,
  invalidConfig,
  keyedProcess,
  keyGroupOfHash: ofHash,
  keyGroupRanges: ranges,
  mergeWindows: merge,
  mergingWindowSet,
  multiplexer,
  pipeline,
  processingTimerService,
  throws: refusals,
  timerService,
  trigger,
  ttl,
  twoPhaseCommit,
  valve,
  windowJoin,
  windowJoinTs: windowJoinTime,
  windowOperator,
  windowStart: start,
};

/** Kinds that there is nothing to run against yet, and why. */
const NOT_YET: Readonly<Record<string, string>> = {
  topN: 'ranking belongs to SQL, and there is no table package yet',
  dedup: 'deduplication as a changelog belongs to SQL, and there is no table package yet',
};

/** Why a case cannot run; `undefined` if it can. */
export function reasonToSkip({ kind }: Case): string | undefined {
  if (Object.hasOwn(KINDS, kind)) return undefined;
  return Object.hasOwn(NOT_YET, kind) ? NOT_YET[kind] : `there is nothing that runs the kind "${kind}" yet`;
}
