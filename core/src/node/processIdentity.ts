import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The machine as far as process numbers mean anything: host and, on Linux, the namespace that they count in. */
const machine = `${hostname()}~${attempt(() => readlinkSync('/proc/self/ns/pid')) ?? ''}`.replaceAll('|', '_');

/** A name for this process that no other ever has: a number may come again, so the time of its start is part of it. */
export const processIdentity: {
  readonly own: string;
  readonly isGone: (owner: string) => boolean;
  readonly describe: (owner: string) => string;
} = {
  own: [machine, process.pid, startOf(process.pid) ?? '', randomBytes(4).toString('hex')].join('|'),
  isGone(owner) {
    const [place, pid, start] = owner.split('|');
    if (place !== machine || pid === undefined) return false;
    if (!isAlive(Number(pid))) return true;
    const now = startOf(Number(pid));
    return now !== undefined && start !== '' && now !== start;
  },
  describe(owner) {
    const [place = '', pid] = owner.split('|');
    return pid === undefined ? owner : `process ${pid} on ${place.split('~')[0]!}`;
  },
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Alive, but another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process started, in ticks since the machine did; Linux only. A zombie counts as gone. */
function startOf(pid: number): string | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? 'over' : fields?.[19];
}

function attempt<R>(read: () => R): R | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
