import { type ByteReader, type ByteWriter, type Codec, plainData } from '@millrace/core';
import type { Automaton } from '../automaton/automaton.ts';
import { CompactNode } from './compactNode.ts';
import { CompactBucket, CompactOfKey } from './compactOfKey.ts';
import { checkSignature } from './runsCodec.ts';

/** The partial matches of a key as bytes: its events once, and nodes as a list in which those that others refer to come first. */
export function compactCodec(automaton: Automaton): Codec<CompactOfKey> {
  return {
    name: 'cep-compact',
    version: 1,
    write: (live, writer) => {
      writer.text(automaton.signature);
      writeLive(live, writer);
    },
    read: (reader) => {
      checkSignature(automaton, reader.text());
      return readLive(automaton, reader);
    },
  };
}

function writeLive(live: CompactOfKey, writer: ByteWriter): void {
  const nodes = numbered(live);
  writer.varint(live.seq);
  writer.float64(live.timer);
  writer.varint(live.starts.length - live.head);
  for (let at = live.head; at < live.starts.length; at++) writer.float64(live.starts[at]!);
  const events = new Map<number, number>();
  const values: unknown[] = [];
  for (const { step, seq, event } of nodes.keys()) if (step >= 0 && !events.has(seq)) events.set(seq, values.push(event) - 1);
  plainData.write(values, writer);
  const numberOf = (node: CompactNode | undefined): number => (node === undefined ? 0 : nodes.get(node)!);
  writer.varint(nodes.size);
  for (const node of nodes.keys()) writeNode(node, writer, numberOf, events);
  writer.varint(live.buckets.length);
  for (const bucket of live.buckets) {
    writer.varint(numberOf(bucket?.waiting));
    writer.varint(numberOf(bucket?.fresh));
  }
}

/** All nodes that the buckets hold, with their numbers from 1 on. */
function numbered({ buckets }: CompactOfKey): Map<CompactNode, number> {
  const nodes = new Map<CompactNode, number>();
  for (const bucket of buckets) {
    for (const root of [bucket?.waiting, bucket?.fresh]) for (const node of childrenFirst(root, nodes)) nodes.set(node, nodes.size + 1);
  }
  return nodes;
}

function writeNode(
  { step, state, left, right, time, seq }: CompactNode,
  writer: ByteWriter,
  numberOf: (node: CompactNode | undefined) => number,
  events: ReadonlyMap<number, number>,
): void {
  writer.varint(step < 0 ? 0 : state + 1);
  writer.varint(numberOf(left));
  if (step < 0) return writer.varint(numberOf(right));
  writer.float64(time);
  writer.varint(seq);
  writer.varint(events.get(seq)!);
}

/** The nodes of a set that are not known yet, each after those it refers to. Sets are deep: no recursion. */
function* childrenFirst(root: CompactNode | undefined, known: ReadonlyMap<CompactNode, number>): Iterable<CompactNode> {
  const open = root === undefined ? [] : [root];
  while (open.length > 0) {
    const node = open.at(-1)!;
    const before = open.length;
    if (!known.has(node)) {
      if (node.left !== undefined && !known.has(node.left)) open.push(node.left);
      if (node.right !== undefined && !known.has(node.right)) open.push(node.right);
      if (open.length > before) continue;
      yield node;
    }
    open.pop();
  }
}

function readLive(automaton: Automaton, reader: ByteReader): CompactOfKey {
  const live = new CompactOfKey();
  live.seq = reader.varint();
  live.timer = reader.float64();
  for (let n = reader.varint(); n > 0; n--) live.starts.push(reader.float64());
  const values = plainData.read(reader, 1) as readonly unknown[];
  const nodes: (CompactNode | undefined)[] = [undefined];
  for (let n = reader.varint(); n > 0; n--) {
    const state = reader.varint();
    const left = nodes[reader.varint()];
    if (state === 0) nodes.push(new CompactNode(-1, -1, undefined, 0, 0, left, nodes[reader.varint()]));
    else {
      const time = reader.float64();
      const seq = reader.varint();
      nodes.push(new CompactNode(automaton.states[state - 1]!.step, state - 1, values[reader.varint()], time, seq, left, undefined));
    }
  }
  for (let n = reader.varint(); n > 0; n--) {
    const bucket = new CompactBucket();
    bucket.waiting = nodes[reader.varint()];
    bucket.fresh = nodes[reader.varint()];
    live.buckets.push(bucket);
  }
  return live;
}
