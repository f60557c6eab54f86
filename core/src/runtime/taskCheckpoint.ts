import { groupByKey, KeyedSegmentWriter } from '../checkpoint/keyedSegment.ts';
import type { SubtaskState } from '../checkpoint/manifest.ts';
import type { PlainState } from '../checkpoint/restore.ts';
import { StateObject } from '../checkpoint/stateObject.ts';
import type { CheckpointStorage } from '../checkpoint/storage.ts';
import type { StateEntry } from '../state/backend.ts';
import { encodeSelfContained } from '../state/selfContained.ts';
import type { Task } from './task.ts';

/** What a task was at a barrier, as bytes: nothing that happens afterwards changes it. */
export interface TaskCut {
  readonly task: Task;
  readonly links: readonly LinkCut[];
}

interface LinkCut {
  readonly uid: string;
  readonly plain: Uint8Array;
  readonly own: Uint8Array | undefined;
  readonly keyed: Uint8Array | undefined;
}

/** Takes a task's state at a barrier. */
export function cutTask(task: Task): TaskCut {
  const { feed, finished, links } = task.snapshot();
  return {
    task,
    links: links.map(({ uid, watermark, random, operator, own, keyed }, i): LinkCut => {
      const plain: PlainState = { watermark, random: random!, operator, feed: i === 0 ? feed : undefined, finished };
      return { uid, plain: encodeSelfContained(plain), own: segmentOf(own), keyed: segmentOf(keyed) };
    }),
  };
}

/** Writes a cut as one object, and says where each operator's state stands in it. */
export async function keepCut(
  { task, links }: TaskCut,
  target: { readonly storage: CheckpointStorage; readonly name: string; readonly crc32: (bytes: Uint8Array) => number },
): Promise<SubtaskState[]> {
  const object = new StateObject(target.name, target.crc32);
  const states = links.map(({ uid, plain, own, keyed }): SubtaskState => {
    const { index, parallelism } = task;
    return {
      uid,
      subtask: index,
      parallelism,
      plain: object.add(plain),
      own: own === undefined ? null : object.add(own),
      keyed: keyed === undefined ? [] : [object.add(keyed)],
    };
  });
  await target.storage.write(object.name, object.parts);
  return states;
}

function segmentOf(entries: Iterable<StateEntry>): Uint8Array | undefined {
  const writer = new KeyedSegmentWriter();
  let records = 0;
  for (const { key, entries: held } of groupByKey(entries)) {
    writer.add(key, held);
    records++;
  }
  return records === 0 ? undefined : writer.finish();
}
