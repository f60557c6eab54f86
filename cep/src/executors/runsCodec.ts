import { type ByteReader, type ByteWriter, type Codec, MillraceError, plainData } from '@millrace/core';
import type { Automaton } from '../automaton/automaton.ts';
import { Run, Start } from './run.ts';
import { bucketOf, enroll, isIn } from './runLife.ts';
import { type Completed, RunsOfKey } from './runsOfKey.ts';

/**
 * The runs of a key as bytes: its events once, runs as a list in which parents come first, and where they wait. What can be counted from
 * these is counted again.
 */
export function runsCodec(automaton: Automaton): Codec<RunsOfKey> {
  return {
    name: 'cep-runs',
    version: 1,
    write: (live, writer) => {
      writer.text(automaton.signature);
      new RunsWriter(automaton, writer).write(live);
    },
    read: (reader) => {
      checkSignature(automaton, reader.text());
      return readRuns(automaton, reader);
    },
  };
}

/**
 * Refuses what runs of another pattern have written.
 *
 * @throws MillraceError `cep/changed-pattern`
 */
export function checkSignature(automaton: Automaton, written: string): void {
  if (written === automaton.signature) return;
  throw new MillraceError(
    'cep/changed-pattern',
    `The snapshot holds partial matches of another pattern (${written}; the job has ${automaton.signature}).`,
    {
      remedy: 'Give the changed pattern a uid of its own, or restore with the job that wrote the snapshot.',
    },
  );
}

/** Gathers what runs share, numbers it and writes it. */
class RunsWriter {
  private readonly automaton: Automaton;
  private readonly writer: ByteWriter;
  private readonly runs = new Map<Run, number>();
  private readonly starts = new Map<Start, number>();
  private readonly events = new Map<number, number>();
  private readonly values: unknown[] = [];

  constructor(automaton: Automaton, writer: ByteWriter) {
    this.automaton = automaton;
    this.writer = writer;
  }

  write(live: RunsOfKey): void {
    const { writer } = this;
    const { transitions } = this.automaton;
    const places = live.buckets.flatMap((bucket, id) => {
      const isThere = (run: Run): boolean => isIn(transitions[id]!, run);
      return bucket === undefined || bucket.isEmpty
        ? []
        : [{ id, waiting: bucket.waiting.filter(isThere), fresh: bucket.fresh.filter(isThere) }];
    });
    for (const { waiting, fresh } of places) for (const run of [...waiting, ...fresh]) this.gather(run);
    for (const { run } of live.completed) this.gather(run);
    const order = live.order.filter((run) => this.runs.has(run));
    writer.varint(live.seq);
    writer.float64(live.timer);
    this.writeStarts();
    plainData.write(this.values, writer);
    this.writeRuns();
    writer.varint(places.length);
    for (const { id, waiting, fresh } of places) {
      writer.varint(id);
      this.writeList(waiting);
      this.writeList(fresh);
    }
    writer.varint(live.completed.length);
    for (const { run, seq } of live.completed) {
      writer.varint(this.runs.get(run)!);
      writer.varint(seq);
    }
    this.writeList(order);
  }

  private gather(last: Run): void {
    const path: Run[] = [];
    for (let run: Run | undefined = last; run !== undefined && !this.runs.has(run); run = run.parent) path.push(run);
    for (const run of path.reverse()) {
      this.runs.set(run, this.runs.size);
      if (!this.starts.has(run.start)) this.starts.set(run.start, this.starts.size);
      if (run.step >= 0 && !this.events.has(run.seq)) this.events.set(run.seq, this.values.push(run.event) - 1);
    }
  }

  private writeStarts(): void {
    this.writer.varint(this.starts.size);
    for (const start of this.starts.keys()) {
      this.writer.float64(start.time);
      this.writer.varint(start.seq);
      this.writer.byte(start.expired ? 1 : 0);
    }
  }

  private writeRuns(): void {
    const { writer } = this;
    writer.varint(this.runs.size);
    for (const run of this.runs.keys()) {
      writer.varint(run.state);
      writer.float64(run.time);
      writer.varint(run.seq);
      writer.varint(run.parent === undefined ? 0 : this.runs.get(run.parent)! + 1);
      writer.varint(this.starts.get(run.start)!);
      writer.varint(run.step < 0 ? 0 : this.events.get(run.seq)! + 1);
    }
  }

  private writeList(runs: readonly Run[]): void {
    this.writer.varint(runs.length);
    for (const run of runs) this.writer.varint(this.runs.get(run)!);
  }
}

function readRuns(automaton: Automaton, reader: ByteReader): RunsOfKey {
  const live = new RunsOfKey();
  live.seq = reader.varint();
  live.timer = reader.float64();
  const starts = readList(reader, () => readStart(reader));
  const values = plainData.read(reader, 1) as readonly unknown[];
  const runs: Run[] = [];
  for (let n = reader.varint(); n > 0; n--) runs.push(readRun(automaton, reader, { runs, starts, values }));
  const waiting = new Map<Run, number>();
  const confirming = new Map<Run, number>();
  const one = (): Run => runs[reader.varint()]!;
  for (let n = reader.varint(); n > 0; n--) {
    const id = reader.varint();
    const bucket = bucketOf(live, id);
    bucket.waiting = readList(reader, one);
    bucket.fresh = readList(reader, one);
    bucket.limit = Math.max(bucket.limit, 2 * bucket.waiting.length);
    const counts = automaton.transitions[id]!.confirms ? confirming : waiting;
    for (const run of [...bucket.waiting, ...bucket.fresh]) counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  live.completed = readList(reader, (): Completed => ({ run: one(), seq: reader.varint() }));
  live.order = readList(reader, one);
  // Starts must be linked in the order of their events.
  const keepsRuns = automaton.within !== Infinity;
  for (const run of runs.toSorted((a, b) => a.start.seq - b.start.seq))
    enroll(live, run, waiting.get(run) ?? 0, confirming.get(run) ?? 0, keepsRuns);
  return live;
}

function readStart(reader: ByteReader): Start {
  const start = new Start(reader.float64(), reader.varint());
  start.expired = reader.byte() === 1;
  return start;
}

interface Read {
  readonly runs: readonly Run[];
  readonly starts: readonly Start[];
  readonly values: readonly unknown[];
}

function readRun(automaton: Automaton, reader: ByteReader, { runs, starts, values }: Read): Run {
  const state = reader.varint();
  const time = reader.float64();
  const seq = reader.varint();
  const parent = reader.varint();
  const start = starts[reader.varint()]!;
  const value = reader.varint();
  const event = value === 0 ? undefined : values[value - 1];
  return new Run(state, automaton.states[state]!.step, { event, time, seq }, parent === 0 ? undefined : runs[parent - 1], start);
}

function readList<V>(reader: ByteReader, readOne: () => V): V[] {
  const list: V[] = [];
  for (let n = reader.varint(); n > 0; n--) list.push(readOne());
  return list;
}
