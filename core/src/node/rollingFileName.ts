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

/** The owner in the name of a hidden file. */
const HIDDEN_NAME = /^(.+)\.\d+(?:-\d+)?$/;

/** `from`: the subtask that began the file, where its owner ends it in that one's place. */
export function hiddenNameOf(owner: string, number: number, from?: number): string {
  return `${owner}.${number}${from === undefined ? '' : `-${from}`}`;
}

/** Whose a hidden file is. */
export function ownerOf(name: string): string {
  return HIDDEN_NAME.exec(name)?.[1] ?? '';
}
