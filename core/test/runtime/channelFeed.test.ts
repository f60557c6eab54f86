import { expect, test } from 'vitest';
import { ChannelFeed } from '../../src/runtime/channelFeed.ts';

const silent = { poll: () => undefined, isEmpty: true };

function feedOf(...names: string[]): ChannelFeed {
  return new ChannelFeed(names.map((name) => ({ name, channel: silent, input: 0 })));
}

const before = {
  watermark: 5,
  channels: [
    { watermark: 5, status: 'active' as const },
    { watermark: 9, status: 'idle' as const },
  ],
};

test('the channels of a restored task are those that there were', () => {
  const feed = feedOf('a/0>0', 'b/0>0');
  feed.restore({ ...before, names: ['a/0>0', 'b/0>0'] });
  expect(feed.snapshot()).toEqual({ ...before, names: ['a/0>0', 'b/0>0'] });
});

test('or begin where its time stood, if others send by them', () => {
  const feed = feedOf('a/0>0', 'c/0>0');
  feed.restore({ ...before, names: ['a/0>0', 'b/0>0'] });
  const channels = [5, 5].map((watermark) => ({ watermark, status: 'active' }));
  expect(feed.snapshot()).toEqual({ watermark: 5, channels, names: ['a/0>0', 'c/0>0'] });
});

test('an older version wrote no names: their number has to do', () => {
  const feed = feedOf('a/0>0', 'c/0>0');
  feed.restore(before);
  expect(feed.snapshot().channels).toEqual(before.channels);
});
