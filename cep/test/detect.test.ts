import { type DataStream, fromArray, StreamEnvironment } from '@millrace/core';
import { everyCheckpoint, harness } from '@millrace/core/testing';
import { describe, expect, test } from 'vitest';
import { detect, pattern } from '../src/index.ts';

interface Login {
  readonly user: string;
  readonly ok: boolean;
  readonly at: number;
}

const guessed = pattern<Login>()
  .begin('failures')
  .where((e) => !e.ok)
  .times(2)
  .consecutive()
  .next('success')
  .where((e) => e.ok)
  .within({ milliseconds: 100 });

const pipeline = ({ logins }: { readonly logins: DataStream<Login> }) => {
  const found = logins
    .keyBy((e) => e.user)
    .pipe(
      detect(
        guessed,
        ({ failures, success: [success] }, { key, start, end }) => `${key} ${failures.length} ${success.at} ${start}-${end}`,
        { uid: 'guessed' },
      ),
    );
  return { found, timedOut: found.side('timedOut').map(({ failures }) => failures?.map(({ at }) => at)), late: found.side('late') };
};

const login = (user: string, ok: boolean, at: number): Login => ({ user, ok, at });

describe('detect', () => {
  test('sorts events by time, keeps keys apart, and survives a restore after every step', () => {
    const events = [login('a', false, 10), login('b', false, 12), login('a', true, 30), login('a', false, 20), login('b', true, 40)];
    const outputs = everyCheckpoint(pipeline, (h) => {
      for (const event of events) h.push('logins', event, event.at);
      h.watermark(25)
        .watermark(60)
        .push('logins', login('b', false, 60), 60)
        .watermark(200)
        .end();
    });
    expect(outputs.found).toEqual(['a 2 30 10-30']);
    expect(outputs.late.map(({ at }) => at)).toEqual([60]);
    expect(outputs.timedOut).toEqual([]);
  });

  test('tells of partial matches when their window is over, by the watermark alone, also for times below 0', () => {
    const h = harness(pipeline)
      .push('logins', login('a', false, -50), -50)
      .watermark(-50);
    expect(h.watermark(49).drainTimed('timedOut')).toEqual([]);
    expect(h.watermark(50).drainTimed('timedOut')).toEqual([{ value: [-50], timestamp: 50 }]);
    expect(h.end().drain('timedOut')).toEqual([]);
  });

  test('a watermark that passes event and window at once gives the time-out before it goes on', () => {
    const h = harness(pipeline)
      .push('logins', login('a', false, 0), 0)
      .watermark(100);
    expect(h.drain('timedOut')).toEqual([[0]]);
  });

  test('gives the same in batch mode', async () => {
    const events = [login('a', true, 30), login('a', false, 10), login('b', false, 5), login('a', false, 20)];
    for (const mode of ['streaming', 'batch'] as const) {
      const env = new StreamEnvironment({ mode });
      const logins = env.from(fromArray(events), { time: { timestamp: (e) => e.at, outOfOrder: { milliseconds: 100 } } });
      expect(await pipeline({ logins }).found.collect()).toEqual(['a 2 30 10-30']);
    }
  });

  test('goes by the clock where it is told to', () => {
    const clocked = ({ logins }: { readonly logins: DataStream<Login> }) => {
      const found = logins
        .keyBy((e) => e.user)
        .pipe(detect(guessed, ({ success: [s] }) => s.user, { uid: 'clocked', time: 'processingTime' }));
      return { found, timedOut: found.side('timedOut') };
    };
    const outputs = everyCheckpoint(clocked, (h) => {
      h.push('logins', login('a', false, 0))
        .processingTime(50)
        .push('logins', login('a', false, 0))
        .push('logins', login('a', true, 0));
      h.push('logins', login('b', false, 0))
        .processingTime(149)
        .processingTime(150);
    });
    expect(outputs.found).toEqual(['a']);
    expect(outputs.timedOut).toEqual([{ failures: [login('b', false, 0)] }]);
  });

  test('a key of which nothing is held has no state', () => {
    const h = harness(pipeline);
    const empty = h.snapshot().bytes.length;
    h.push('logins', login('a', false, 1), 1)
      .push('logins', login('a', true, 2), 2)
      .push('logins', login('b', true, 3), 3)
      .watermark(5);
    expect(h.snapshot().bytes.length - empty).toBeLessThan(10);
  });

  test('gives one output for each event that completes a match', () => {
    const pairs = pattern<Login>().begin('a').followedByAny('b');
    const found = ({ logins }: { readonly logins: DataStream<Login> }) => ({
      found: logins.keyBy((e) => e.user).pipe(detect(pairs, (event, { end }) => `${event.at} ${end}`, { uid: 'pairs', emit: 'exists' })),
    });
    const outputs = everyCheckpoint(found, (h) =>
      h
        .push('logins', login('a', true, 1), 1)
        .push('logins', login('a', true, 2), 2)
        .push('logins', login('a', true, 3), 3)
        .end(),
    );
    expect(outputs.found).toEqual(['2 2', '3 3']);
  });
});
