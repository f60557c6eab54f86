import { type ByteReader, type ByteWriter, type Codec, MillraceError, plainData } from '@millrace/core';
import type { Automaton } from '../automaton/automaton.ts';
import { Arrival, isIn, Run, Start } from './run.ts';
import { RunLife } from './runLife.ts';
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
      writer.varint(run.state.id);
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
  const read: Read = { runs, starts, values, arrivals: [] };
  for (let n = reader.varint(); n > 0; n--) runs.push(readRun(automaton, reader, read));
  const waiting = new Map<Run, number>();
  const confirming = new Map<Run, number>();
  const one = (): Run => runs[reader.varint()]!;
  for (let n = reader.varint(); n > 0; n--) {
    const id = reader.varint();
    const bucket = live.bucket(automaton, id);
    for (let m = reader.varint(); m > 0; m--) bucket.restore(one());
    bucket.fresh.push(...readList(reader, one));
    const counts = automaton.transitions[id]!.confirms ? confirming : waiting;
    for (const run of [...bucket.waiting, ...bucket.fresh]) counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  live.completed = readList(reader, (): Completed => ({ run: one(), seq: reader.varint() }));
  live.order = readList(reader, one);
  // Starts must be linked in the order of their events.
  const life = new RunLife(automaton, { tellsTimedOut: () => true });
  for (const run of runs.toSorted((a, b) => a.start.seq - b.start.seq))
    life.enroll(live, run, waiting.get(run) ?? 0, confirming.get(run) ?? 0);
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
  /** Of the values: those that were read already. */
  readonly arrivals: Arrival[];
}

function readRun(automaton: Automaton, reader: ByteReader, { runs, starts, values, arrivals }: Read): Run {
  const state = automaton.states[reader.varint()]!;
  const time = reader.float64();
  const seq = reader.varint();
  const parent = reader.varint();
  const start = starts[reader.varint()]!;
  const value = reader.varint();
  // What time has moved takes no event, and has a time of its own.
  let arrival = value === 0 ? new Arrival(undefined, time, seq) : arrivals[value - 1];
  if (arrival === undefined) arrivals[value - 1] = arrival = new Arrival(values[value - 1], time, seq);
  return new Run(state, arrival, parent === 0 ? undefined : runs[parent - 1], start);
}

function readList<V>(reader: ByteReader, readOne: () => V): V[] {
  const list: V[] = [];
  for (let n = reader.varint(); n > 0; n--) list.push(readOne());
  return list;
}
