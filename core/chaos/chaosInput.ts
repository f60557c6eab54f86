import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Chance } from '../simulation/chance.ts';
import { eventsOf, type JobSpec, type SourceSpec, splitsOf } from '../simulation/jobSpec.ts';
import { surroundingsOf } from './drawChaosJob.ts';
import { KNOWN } from './logSource.ts';
import { END } from './waves.ts';

/** A log that is not whole yet. */
interface Growing {
  readonly path: string;
  readonly lines: string[];
}

/** What a job reads: more of it while it runs, and from one run to the next. */
export class ChaosInput {
  private readonly spec: JobSpec;
  private readonly folder: string;
  private readonly chance: Chance;
  private readonly isLogged: boolean;
  private readonly growing: Growing[] = [];
  private wave = 0;

  constructor(spec: JobSpec, folder: string, chance: Chance) {
    this.spec = spec;
    this.folder = folder;
    this.chance = chance;
    this.isLogged = surroundingsOf(spec.seed).isLogged;
    for (const { uid } of spec.sources) mkdirSync(join(folder, uid), { recursive: true });
  }

  /** Lets the next files appear, and logs grow. */
  next(): void {
    for (const log of this.growing) this.grow(log, this.chance.below(log.lines.length + 1));
    this.nextWave();
  }

  /** All of the rest, and that nothing more will come. */
  end(): void {
    while (this.nextWave());
    for (const log of this.growing) this.grow(log, log.lines.length);
    for (const { uid } of this.spec.sources) mkdirSync(join(this.folder, uid, END));
  }

  /** False when there is none. */
  private nextWave(): boolean {
    const wave = this.wave++;
    let isAny = false;
    for (const source of this.spec.sources) {
      const splits = splitsOf(source)[wave];
      if (splits === undefined) continue;
      isAny = true;
      this.appear(source, wave, splits);
    }
    return isAny;
  }

  /** All files of a wave at once. */
  private appear(source: SourceSpec, wave: number, splits: readonly string[]): void {
    const hidden = join(this.folder, source.uid, `.wave-${wave}`);
    const shown = join(this.folder, source.uid, `wave-${wave}`);
    mkdirSync(hidden);
    for (const split of splits) {
      const lines = eventsOf(source, this.spec.seed, split).map(
        ({ id, key, n, at, isRefused }) => `${JSON.stringify({ id, key, n: isRefused ? 'none' : n, at })}\n`,
      );
      const first = this.isLogged ? lines.splice(0, this.chance.below(lines.length)) : lines.splice(0);
      writeFileSync(join(hidden, `${split}.jsonl`), first.join(''));
      this.growing.push({ path: join(shown, `${split}.jsonl`), lines });
    }
    renameSync(hidden, shown);
  }

  /** A log is gone on with, or given another name and another one begun in its place. */
  private grow({ path, lines }: Growing, count: number): void {
    if (count === 0) return;
    const text = lines.splice(0, count).join('');
    if (this.chance.flip(0.4) && existsSync(`${path}${KNOWN}`)) {
      const older = readdirSync(dirname(path)).filter((name) => /\.\d+$/.test(name) && name.startsWith(`${basename(path)}.`)).length;
      for (let at = older; at >= 0; at--) renameSync(at === 0 ? path : `${path}.${at}`, `${path}.${at + 1}`);
    }
    if (existsSync(path)) appendFileSync(path, text);
    else writeFileSync(path, text);
  }
}
