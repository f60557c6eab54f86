import { Chain, type ChainSnapshot } from '../../src/runtime/chain.ts';
import { SourceFeed, type SourceSnapshot } from '../../src/runtime/sourceFeed.ts';
import { type AssignerSnapshot, SplitAssigner } from '../../src/runtime/splitAssigner.ts';
import { SplitReader } from '../../src/runtime/splitReader.ts';
import { Task, type TaskSnapshot } from '../../src/runtime/task.ts';
import { MIN_TIMESTAMP } from '../../src/time/timestamp.ts';
import { type Mutant, mutant } from './mutant.ts';

/** Faults of sources, of time, and of the end of input. */
export const timeMutants: readonly Mutant[] = [
  mutant('lose-position', 'splits begin anew after a restore', SourceFeed, 'snapshot', (original) => {
    return (self) => {
      const snapshot: SourceSnapshot = original(self);
      return { ...snapshot, splits: snapshot.splits.map(({ split }) => ({ split, position: undefined, skip: 0 })) };
    };
  }),
  mutant('lose-skip', 'what was taken of a batch is taken again', SplitReader, 'where', (original) => {
    return (self) => ({ ...(original(self) as object), skip: 0 });
  }),
  mutant('lose-split', 'a split that is being read is not in a checkpoint', SourceFeed, 'snapshot', (original) => {
    return (self) => {
      const snapshot: SourceSnapshot = original(self);
      return { ...snapshot, splits: snapshot.splits.slice(1) };
    };
  }),
  mutant('lose-waiting-splits', 'splits that wait are not in a checkpoint', SourceFeed, 'snapshot', (original) => {
    return (self) => ({ ...(original(self) as SourceSnapshot), waiting: [] });
  }),
  mutant('lose-seen-splits', 'the splits that were dealt out are dealt out again', SplitAssigner, 'snapshot', (original) => {
    return (self): AssignerSnapshot => ({ ...(original(self) as AssignerSnapshot), seen: [] });
  }),
  mutant('forget-watermark', 'time begins anew after a restore', Task, 'restore', (original) => {
    return (self, snapshot: TaskSnapshot) => {
      const links = snapshot.links.map((link) => ({ ...link, watermark: MIN_TIMESTAMP }));
      return original(self, { ...snapshot, links, feed: timeless(snapshot.feed) });
    };
  }),
  mutant('watermark-ahead', 'a restored operator takes the time of its furthest channel', Chain, 'snapshotPlain', (original) => {
    return (self) => (original(self) as readonly { watermark: number }[]).map((link) => ({ ...link, watermark: link.watermark + 200 }));
  }),
  mutant('end-twice', 'an operator says its last word again', Task, 'restore', (original) => {
    return (self, snapshot: TaskSnapshot) =>
      original(self, { ...snapshot, finished: false, links: snapshot.links.map((link) => ({ ...link, ended: false })) });
  }),
  mutant('skip-on-end', 'after a restore an operator does not say its last word', Chain, 'restore', (original) => {
    return (self, { links }: ChainSnapshot) => original(self, { links: links.map((link) => ({ ...link, ended: true })) });
  }),
];

/** The state of a feed without what it knows of time. */
function timeless(feed: unknown): unknown {
  if (typeof feed !== 'object' || feed === null) return feed;
  if (!('times' in feed)) return { watermark: MIN_TIMESTAMP, channels: [] };
  return { ...feed, times: { watermark: MIN_TIMESTAMP, idle: false, removed: null, splits: [] } };
}
