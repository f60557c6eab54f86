/** A stream to a terminal, such as standard error. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write: (...args: never[]) => boolean;
}

const ERASE_LINE = '\r\x1b[K';

/**
 * A line at the foot of a terminal that is written again and again, on standard error. Whatever else is written to the terminal meanwhile,
 * by the job or anybody, takes its place; it comes back with the next {@link show}.
 */
export class TerminalLine {
  private readonly stream: TerminalStream;
  private readonly restores: (() => void)[] = [];
  private readonly writeLine: (text: string) => void;
  private shown = false;

  /** `others` are streams that lead to the same terminal. */
  constructor(stream: TerminalStream, others: readonly TerminalStream[]) {
    this.stream = stream;
    const write = stream.write.bind(stream) as (text: string) => boolean;
    this.writeLine = (text) => void write(text);
    for (const each of [stream, ...others]) this.yieldTo(each);
  }

  show(text: string): void {
    const { columns = 0 } = this.stream;
    // A line that wraps could not be erased. A terminal that does not know its width says 0.
    this.writeLine(ERASE_LINE + text.slice(0, (columns > 0 ? columns : 80) - 1));
    this.shown = true;
  }

  /** Erases the line. */
  hide(): void {
    if (!this.shown) return;
    this.shown = false;
    this.writeLine(ERASE_LINE);
  }

  /** Erases the line for good. */
  close(): void {
    this.hide();
    for (const restore of this.restores.splice(0)) restore();
  }

  private yieldTo(stream: TerminalStream): void {
    const { write } = stream;
    stream.write = (...args) => {
      this.hide();
      return write.apply(stream, args);
    };
    this.restores.push(() => (stream.write = write));
  }
}
