import { createHash, randomBytes } from 'node:crypto';
import type { SinkContext } from '../operators/connector.ts';
import { processIdentity } from './processIdentity.ts';

/** Where files are that are not finished, below the directory of the finished ones. */
export const HIDDEN = '.millrace';

/** How finished files are called: `part-0-3.jsonl` is the fourth of subtask 0. */
export class FinishedName {
  readonly #prefix: string;
  readonly #suffix: string;

  constructor(prefix: string, suffix: string) {
    this.#prefix = prefix;
    this.#suffix = suffix;
  }

  /** `copy` is above 0 where files of that name were there already, which are somebody else's. */
  of(subtask: number, number: number, copy = 0): string {
    return `${this.#prefix}-${subtask}-${number}${copy === 0 ? '' : `-${copy}`}${this.#suffix}`;
  }

  /** The number of a subtask's file; `undefined` for any other file. */
  numberOf(name: string, subtask: number): number | undefined {
    const start = `${this.#prefix}-${subtask}-`;
    if (!name.startsWith(start) || !name.endsWith(this.#suffix)) return undefined;
    const [, digits] = /^(\d+)(?:-\d+)?$/.exec(name.slice(start.length, name.length - this.#suffix.length)) ?? [];
    return digits === undefined ? undefined : Number(digits);
  }
}

/**
 * Whose a hidden file is. Its name tells, so that a writer never takes a file of somebody else for one that was left behind: sink, epoch,
 * subtask, and a part that no other writer has.
 */
export class HiddenOwner {
  readonly #sink: string;
  readonly #epoch: number;
  readonly #subtask: number;
  readonly #writer: string = randomBytes(6).toString('hex');

  constructor({ uid, lineage, epoch, subtask }: SinkContext) {
    // Without checkpoints nobody goes on from what a process leaves behind: the process is the owner.
    this.#sink =
      lineage === ''
        ? `${LOCAL}${Buffer.from(processIdentity.own).toString('base64url')}`
        : createHash('sha256').update(`${lineage}\n${uid}`).digest('hex').slice(0, 16);
    this.#epoch = epoch;
    this.#subtask = subtask;
  }

  /** The name of a file in progress. */
  nameOf(number: number): string {
    return [this.#sink, this.#epoch, this.#subtask, this.#writer, number].join('.');
  }

  /**
   * Whether a file was left behind by an earlier run: of this sink, in an older epoch, or by this subtask before it started again; or of a
   * process without checkpoints that is gone.
   */
  leftBehind(name: string): boolean {
    const [, sink, epoch, subtask, writer] = HIDDEN_NAME.exec(name) ?? [];
    if (sink === undefined) return false;
    if (sink.startsWith(LOCAL)) return processIdentity.isGone(Buffer.from(sink.slice(LOCAL.length), 'base64url').toString());
    if (sink !== this.#sink || Number(epoch) > this.#epoch) return false;
    return Number(epoch) < this.#epoch || (Number(subtask) === this.#subtask && writer !== this.#writer);
  }
}

const LOCAL = '~';
const HIDDEN_NAME = /^([0-9a-f]{16}|~[\w-]+)\.(\d+)\.(\d+)\.([0-9a-f]{12})\.\d+(?:\.cut(?:-[0-9a-f]{12})?)?$/;
