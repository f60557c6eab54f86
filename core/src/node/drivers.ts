import { hostOf, type JobAssignment } from '../runtime/hostAssignment.ts';
import type { HostDriver } from '../runtime/hostDriver.ts';
import { ProcessCrew } from './processCrew.ts';
import { SpreadDriver } from './spreadDriver.ts';
import { WorkerCrew } from './workerCrew.ts';

/** Runs the tasks of a job on worker threads. */
export function workerDriver(assignment: JobAssignment): HostDriver {
  return new SpreadDriver(assignment, async (_parts, { hosts }) => new WorkerCrew(hosts));
}

/** Runs the tasks of a job in child processes. */
export function processDriver(assignment: JobAssignment): HostDriver {
  return new SpreadDriver(assignment, async ({ plan }, { hosts, deadLettersElsewhere }) =>
    ProcessCrew.gather(plan, (chain, subtask) => hostOf(plan, chain, subtask, hosts, deadLettersElsewhere)),
  );
}
