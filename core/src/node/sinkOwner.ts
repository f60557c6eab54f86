import { createHash, randomBytes } from 'node:crypto';
import type { SinkContext } from '../operators/connector.ts';
import { processIdentity } from './processIdentity.ts';

/**
 * Whose something is that a sink has written and not committed. Its name tells, so that a writer never takes what is somebody else's for
 * something that was left behind: sink, epoch, subtask, and a part that no other writer has.
 */
export class SinkOwner {
  /** Of the sink in the life of its checkpoint location. Epochs can be compared where this is the same. */
  readonly sink: string;
  readonly name: string;
  readonly #epoch: number;
  readonly #subtask: number;

  constructor({ uid, lineage, epoch, subtask }: SinkContext) {
    // Without checkpoints nobody goes on from what a process leaves behind: the process is the owner.
    this.sink =
      lineage === ''
        ? `${LOCAL}${Buffer.from(processIdentity.own).toString('base64url')}`
        : createHash('sha256').update(`${lineage}\n${uid}`).digest('hex').slice(0, 16);
    this.#epoch = epoch;
    this.#subtask = subtask;
    this.name = [this.sink, epoch, subtask, randomBytes(6).toString('hex')].join('.');
  }

  /**
   * Whether the owner of this name is an earlier run: of this sink, in an older epoch, or this subtask before it started again; or a
   * process without checkpoints that is gone.
   */
  leftBehind(name: string): boolean {
    const [, sink, epoch, subtask] = OWNER.exec(name) ?? [];
    if (sink === undefined) return false;
    if (sink.startsWith(LOCAL)) return processIdentity.isGone(Buffer.from(sink.slice(LOCAL.length), 'base64url').toString());
    if (sink !== this.sink || Number(epoch) > this.#epoch) return false;
    return Number(epoch) < this.#epoch || (Number(subtask) === this.#subtask && name !== this.name);
  }
}

const LOCAL = '~';
const OWNER = /^([0-9a-f]{16}|~[\w-]+)\.(\d+)\.(\d+)\.[0-9a-f]{12}$/;
