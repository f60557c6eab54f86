import { MillraceError } from '../errors/millraceError.ts';
import { type Duration, toPositiveMilliseconds } from '../time/duration.ts';
import type { RollingFile } from './rollingFile.ts';

/** When a file is finished and the next begun. What is left out does not matter. */
export interface RollOptions {
  /** When it holds so much text, in bytes before packing. */
  readonly size?: number;
  /** When it is so old. Looked at when a checkpoint is taken. */
  readonly every?: Duration;
  /** When nothing was written to it for so long. Looked at when a checkpoint is taken. */
  readonly idle?: Duration;
  /** At every checkpoint: many small files, which are visible at once, and a job can go on from older checkpoints too. Default: false. */
  readonly checkpoint?: boolean;
}

/** What holds where nothing is said. */
export const DEFAULT_ROLL: RollOptions = { size: 128 * 1024 * 1024, every: { minutes: 1 } };

/** Decides when files are finished. */
export class RollPolicy {
  readonly #size: number;
  readonly #every: number;
  readonly #idle: number;
  readonly #checkpoint: boolean;

  constructor({ size = Infinity, every, idle, checkpoint = false }: RollOptions) {
    if (!(size >= 1)) {
      throw new MillraceError('config/invalid', `rollingFiles: roll.size is ${size}.`, { remedy: 'It is a number of bytes, at least 1.' });
    }
    this.#size = size;
    this.#every = every === undefined ? Infinity : toPositiveMilliseconds(every, 'roll.every');
    this.#idle = idle === undefined ? Infinity : toPositiveMilliseconds(idle, 'roll.idle');
    this.#checkpoint = checkpoint;
  }

  isFull(file: RollingFile): boolean {
    return file.size >= this.#size;
  }

  /** At a checkpoint: whether the file ends with it. */
  isDue({ createdAt, writtenAt }: RollingFile, now: number): boolean {
    return this.#checkpoint || now - createdAt >= this.#every || now - writtenAt >= this.#idle;
  }
}
