import type { CheckpointReader, SubtaskRestore } from '../checkpoint/restore.ts';
import { MAX_TIMESTAMP } from '../time/timestamp.ts';
import { BatchFeed } from './batchFeed.ts';
import type { Link } from './link.ts';
import { Restorer, restoreKeyed } from './linkSnapshot.ts';
import { SourceFeed, type SourceSnapshot } from './sourceFeed.ts';
import type { Task } from './task.ts';

/** Gives a task the state that a checkpoint has for its operators. */
export async function restoreTask(task: Task, checkpoint: CheckpointReader): Promise<void> {
  const states = await Promise.all(task.chain.links.map(({ uid }) => checkpoint.subtask(uid, task.index, task.parallelism)));
  const known = states.map((state, i) => ({ state, uid: task.chain.links[i]!.uid })).filter(({ state }) => state !== undefined);
  if (known.length === 0) return;
  const [head] = states;
  const isLenient = checkpoint.allowNonRestoredState === true;
  for (const [i, state] of states.entries()) {
    if (state !== undefined) await restoreAll(task.chain.links[i]!, state.keyed, isLenient);
  }
  task.restore({
    // An operator that is new in the chain has something to do even where the others are done.
    finished: states.every((state) => state?.finished === true),
    feed: head === undefined ? undefined : feedState(task, head),
    links: known.map(({ state, uid }) => ({ uid, ...state!, keyed: [], allowNonRestoredState: isLenient })),
  });
}

/** Keyed state may be larger than memory. */
async function restoreAll(link: Link, keyed: SubtaskRestore['keyed'], isLenient: boolean): Promise<void> {
  const restorer = new Restorer(isLenient);
  for await (const entries of keyed) for (const settling of restoreKeyed(link, entries, restorer)) await settling;
  restorer.tell(link.context.subtask);
}

function feedState(task: Task, { feed, feeds, watermark }: SubtaskRestore): unknown {
  if (task.feed instanceof BatchFeed) return undefined;
  if (feed !== undefined) return feed;
  if (task.feed instanceof SourceFeed) return dealSplits(feeds as readonly SourceSnapshot[], task.index, task.parallelism);
  // Channels of another number, or none when the operator shared a task with its producer: all stand where the watermark stood.
  return { watermark, channels: [] };
}

/** Splits that are being read, and those that wait, go round. */
function dealSplits(feeds: readonly SourceSnapshot[], index: number, parallelism: number): SourceSnapshot {
  const mine = <T>(items: readonly T[]): T[] => items.filter((_, i) => i % parallelism === index);
  const splits = mine(feeds.flatMap((feed) => feed.splits));
  const names = new Set(splits.map(({ split }) => split));
  return {
    splits,
    waiting: mine(feeds.flatMap((feed) => feed.waiting)),
    ended: mine(feeds.flatMap(({ ended = [] }) => ended)),
    times: {
      watermark: feeds.reduce((least, { times }) => Math.min(least, times.watermark), MAX_TIMESTAMP),
      removed: null,
      idle: false,
      splits: feeds.flatMap(({ times }) => times.splits).filter(({ split }) => names.has(split)),
    },
  };
}
