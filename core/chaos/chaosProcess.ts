import { type ChildProcess, fork } from 'node:child_process';
import type { Order } from './worker.ts';

/** A process that runs the command, and that only this one touches. */
export class ChaosProcess {
  readonly ended: Promise<void>;
  isOver = false;
  code: number | null = null;
  /** What it was told to do. */
  order: Order | undefined;
  /** What it has said. */
  said = '';
  private readonly child: ChildProcess;
  private readonly ready: Promise<void>;
  private readonly watchers = new Set<() => void>();

  constructor(worker: string) {
    this.child = fork(worker, [], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
        for (const look of this.watchers) look();
      });
    }
    this.ready = new Promise((resolve) => this.child.once('message', () => resolve()));
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        this.code = code;
        this.isOver = true;
        for (const look of this.watchers) look();
        resolve();
      });
    });
  }

  async run(order: Order): Promise<void> {
    await Promise.race([this.ready, this.ended]);
    this.order = order;
    if (!this.isOver) this.child.send(order, () => undefined);
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (!this.isOver) this.child.kill(signal);
  }

  /** Fulfilled when it has said something, has ended, or after so many ms. */
  async says(text: RegExp, patience: number): Promise<void> {
    if (text.test(this.said)) return;
    let look: () => void = () => undefined;
    const heard = new Promise<void>((resolve) => {
      look = () => {
        if (text.test(this.said) || this.isOver) resolve();
      };
      this.watchers.add(look);
    });
    await Promise.race([heard, after(patience), this.ended]);
    this.watchers.delete(look);
  }
}

/** Processes that wait for their orders, with everything loaded. */
export class ProcessPool {
  private readonly waiting: ChaosProcess[] = [];
  private readonly worker: string;
  private readonly size: number;

  /** `worker`: the file that they run. */
  constructor(worker: string, size: number) {
    this.worker = worker;
    this.size = size;
    this.fill();
  }

  take(): ChaosProcess {
    const process = this.waiting.shift()!;
    this.fill();
    return process;
  }

  close(): void {
    for (const process of this.waiting) process.kill('SIGKILL');
  }

  private fill(): void {
    while (this.waiting.length < this.size) this.waiting.push(new ChaosProcess(this.worker));
  }
}

export function after(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
