import { describe, expect, test } from 'vitest';
import {
  type DataStream,
  type Trigger,
  type WindowAssigner,
  continuousEventTime,
  countTrigger,
  countWindow,
  defineTrigger,
  deltaTrigger,
  discard,
  fromArray,
  globalWindow,
  output,
  processingTimeTimeout,
  purging,
  session,
  StreamEnvironment,
  tumbling,
  valueState,
} from '../../src/index.ts';
import { everyCheckpoint, type Harness, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { storedState } from './steps.ts';
import { type Click, click, panes, push, sums, tens } from './windowClicks.ts';

describe('which firing a result is', () => {
  test('without lateness the end is the last word', () => {
    const h = harness(sums(tens, { trigger: purging(continuousEventTime({ milliseconds: 100 })) }));
    push(h, click('a', 1));
    h.watermark(9);
    expect(panes(h)).toEqual(['1 onTime 0!']);
  });

  test('early ones, the one on time, and late ones, each of which may not be the last', () => {
    const h = harness(sums(tens, { trigger: continuousEventTime({ milliseconds: 4 }), allowedLateness: { milliseconds: 20 } }));
    push(h, click('a', 1));
    h.watermark(4);
    push(h, click('a', 6));
    h.watermark(12);
    push(h, click('a', 7));
    h.watermark(28);
    push(h, click('a', 7));
    h.watermark(29);
    push(h, click('a', 7));
    expect(panes(h)).toEqual(['1 early 0', '2 early 1', '2 onTime 2', '3 late 3', '4 late 4']);
    expect(h.drain('late' as never)).toEqual([click('a', 7)]);
  });

  test('what comes first for a window that is over is late, not on time', () => {
    const h = harness(sums(tens, { allowedLateness: { milliseconds: 20 } }));
    h.watermark(12);
    push(h, click('a', 1));
    expect(panes(h)).toEqual(['1 late 0']);
  });

  test('when the watermark passes the lateness as well, the one on time is the last', () => {
    const h = harness(sums(tens, { allowedLateness: { milliseconds: 20 } }));
    push(h, click('a', 1));
    h.end();
    expect(panes(h)).toEqual(['1 onTime 0!']);
  });

  test('in windows of processing time the clock decides', () => {
    const h = harness(sums(tumbling({ milliseconds: 10 }, { domain: 'processingTime' }), { trigger: countAndEnd() }));
    push(h, click('a', 99), click('a', 98));
    h.processingTime(9);
    expect(panes(h)).toEqual(['2 early 0', '2 onTime 1!']);
  });

  test('windows without an end are never early', () => {
    const h = harness(sums(globalWindow(), { trigger: countTrigger(2) }));
    push(h, click('a', 1), click('a', 2), click('a', 3), click('a', 4));
    expect(panes(h)).toEqual(['2 onTime 0', '4 onTime 1']);
  });

  test('a session counts on from the sessions that it is made of', () => {
    const h = harness(sums(session({ milliseconds: 10 }), { allowedLateness: { milliseconds: 100 } }));
    push(h, click('a', 0), click('a', 20));
    h.watermark(40);
    push(h, click('a', 10));
    expect(panes(h)).toEqual(['1 onTime 0', '1 onTime 0', '3 late 2']);
  });
});

/** Fires with every second element, and when the clock says that the window is over. */
function countAndEnd(): Trigger<unknown> {
  return defineTrigger<unknown, number>({
    name: 'countAndEnd',
    domain: 'processingTime',
    initialState: () => 0,
    onElement(_value, _timestamp, window, context) {
      context.setProcessingTimer(window.end - 1);
      context.state++;
      return context.state % 2 === 0 ? 'fire' : 'continue';
    },
    onProcessingTime: () => 'fire',
    clear: (window, context) => context.cancelProcessingTimer(window.end - 1),
  });
}

/** Listens to the end of the window alone. */
function eventTimeOnly(): Trigger<unknown> {
  return defineTrigger<unknown>({
    name: 'eventTimeOnly',
    domain: 'eventTime',
    onElement(_value, _timestamp, window, context) {
      context.setEventTimer(window.end - 1);
      return 'continue';
    },
    onEventTime: () => 'fire',
  });
}

describe('triggers', () => {
  test('windows that merge refuse a trigger that cannot, when the job is built', () => {
    const trigger = deltaTrigger({ threshold: 1, delta: (a: Click, b) => b.n - a.n });
    expect(errorCode(() => harness(sums(session({ minutes: 1 }), { trigger })))).toBe('trigger/no-merge');
  });

  test('what a trigger says of a merge counts with what it says of the element', () => {
    const onMerge = defineTrigger<Click>({
      name: 'onMerge',
      domain: 'none',
      onElement: ({ n }) => (n > 5 ? 'purge' : 'continue'),
      onMerge: () => 'fire',
    });
    const h = harness(sums(session({ milliseconds: 10 }), { trigger: onMerge }));
    push(h, click('a', 0), click('a', 5), click('a', 9, 6), click('a', 12));
    expect(panes(h)).toEqual(['2 early 0', '8 early 1', '1 early 2']);
  });

  test('a trigger of the clock on windows of event time, and the timer of its window', () => {
    const options = { trigger: processingTimeTimeout<Click>(countTrigger(3), { after: { milliseconds: 100 } }) };
    const h = harness(sums(tens, options));
    push(h, click('a', 1), click('a', 2));
    h.processingTime(100);
    push(h, click('a', 3));
    h.watermark(9);
    expect(panes(h)).toEqual(['2 early 0', '3 onTime 1!']);
  });

  test('what has been said is not said again when the window goes', () => {
    const options = {
      trigger: processingTimeTimeout<Click>(eventTimeOnly(), { after: { milliseconds: 100 } }),
      allowedLateness: { milliseconds: 5 },
    };
    const h = harness(sums(tens, options));
    push(h, click('a', 1));
    h.watermark(9).watermark(14);
    expect(panes(h)).toEqual(['1 onTime 0']);
  });

  test('timers that a trigger leaves behind go with the window', () => {
    const careless = defineTrigger<Click>({
      name: 'careless',
      domain: 'eventTime',
      onElement(_value, timestamp, _window, context) {
        context.setEventTimer(timestamp + 100);
        return 'continue';
      },
      onEventTime: () => 'fire',
    });
    const h = harness(sums(tens, { trigger: careless }));
    push(h, click('a', 1));
    h.watermark(50);
    expect(panes(h)).toEqual(['1 onTime 0']);
    expect(storedState(h.snapshot(), 'windows').keyed).toEqual([]);
  });

  test('a timer that two windows wait for is not cancelled with one of them', () => {
    const script = (h: Harness<{ clicks: Click }, unknown>): void => {
      push(h, click('a', 3), click('a', 15));
      for (const at of [9, 19, 29]) h.watermark(at);
    };
    const shared = defineTrigger<Click, boolean>({
      name: 'shared',
      domain: 'eventTime',
      initialState: () => false,
      onElement(_value, timestamp, _window, context) {
        context.setEventTimer(18);
        context.state = timestamp < 10;
        return 'continue';
      },
      onEventTime: (at) => (at === 18 ? 'fire' : 'continue'),
      clear: (_window, context) => context.cancelEventTimer(18),
    });
    const h = harness(sums(tens, { trigger: shared }));
    script(h);
    expect(panes(h)).toEqual(['1 early 0!']);
    everyCheckpoint(sums(tens, { trigger: shared }), script as never);
  });
});

describe('keys', () => {
  test('windows that became one are kept as one', () => {
    const h = harness(sums(session({ milliseconds: 10 })));
    push(h, click('a', 0), click('a', 20), click('a', 40), click('a', 10), click('a', 30));
    const held = storedState(h.snapshot(), 'windows').keyed.filter(({ state }) => state === '(windows)');
    expect(held.map(({ userKey, value }) => [userKey, (value as { window: unknown }).window])).toEqual([[[0, 10], { start: 0, end: 50 }]]);
    h.watermark(49);
    expect(storedState(h.snapshot(), 'windows').keyed).toEqual([]);
  });

  test('a key costs nothing when its windows are gone', () => {
    for (const assigner of [tens, session({ milliseconds: 10 }), countWindow(2)]) {
      const h = harness(sums(assigner, { allowedLateness: { milliseconds: 5 } }));
      push(h, click('a', 1), click('a', 2), click('b', 1), click('b', 3));
      h.watermark(100);
      push(h, click('c', 1));
      if (assigner.domain === 'none') push(h, click('c', 2));
      expect(storedState(h.snapshot(), 'windows').keyed).toEqual([]);
    }
  });

  test('windows of a number of elements', () => {
    const h = harness(sums(countWindow(2)));
    push(h, click('a', 1, 1), click('b', 1, 10), click('a', 1, 2), click('a', 1, 4), click('a', 1, 8));
    expect(panes(h)).toEqual(['3 onTime 0', '12 onTime 0']);
    const sliding = harness(sums(countWindow(3, { every: 2 })));
    push(sliding, ...[1, 2, 4, 8].map((n) => click('a', 1, n)));
    expect(panes(sliding)).toEqual(['3 onTime 0', '14 onTime 1']);
  });
});

describe('a function over all elements', () => {
  const seen = (i: { clicks: DataStream<Click> }) => {
    const out = i.clicks
      .keyBy(({ user }) => user)
      .window(tens, { allowedLateness: { milliseconds: 10 } })
      .process({
        uid: 'windows',
        state: { windows: valueState({ initial: 0 }) },
        outputs: { long: output<string>() },
        *onWindow(elements, { key, window, pane, watermark, state, output: emit }) {
          state.windows.update(state.windows.value() + 1);
          if (elements.length > 1) emit('long', `${key} ${window.start}`);
          yield `${elements.map(({ n }) => n).join('+')} ${pane.timing} @${watermark}`;
          yield `window ${state.windows.value()}`;
        },
      });
    return { out, long: out.side('long'), late: out.side('late') };
  };

  test('is given the elements in order, the window, state of the key and outputs', () => {
    const h = harness(seen);
    push(h, click('a', 5, 1), click('a', 3, 2), click('b', 5, 3), click('a', 15, 4));
    h.watermark(10);
    push(h, click('a', 1, 5));
    h.watermark(19);
    expect(
      h.drainTimed('out').map(({ value: { key, value, window }, timestamp }) => `${key} [${window.start} ${timestamp}] ${value}`),
    ).toEqual([
      'a [0 9] 1+2 onTime @10',
      'a [0 9] window 1',
      'b [0 9] 3 onTime @10',
      'b [0 9] window 1',
      'a [0 9] 1+2+5 late @10',
      'a [0 9] window 2',
      'a [10 19] 4 onTime @19',
      'a [10 19] window 3',
    ]);
    expect(h.drainTimed('long')).toEqual([
      { value: 'a 0', timestamp: 9 },
      { value: 'a 0', timestamp: 9 },
    ]);
  });

  test('a crash between any two steps changes nothing', () => {
    everyCheckpoint(seen, (h) => {
      push(h as never, click('a', 5, 1), click('a', 3, 2), click('b', 5, 3), click('a', 15, 4));
      h.watermark(10);
      push(h as never, click('a', 1, 5));
      h.watermark(19).watermark(40);
    });
  });

  test('keeps what it is given: later elements do not change it', () => {
    const kept = (i: { clicks: DataStream<Click> }) => ({
      out: i.clicks
        .keyBy(({ user }) => user)
        .window(tens, { allowedLateness: { milliseconds: 10 } })
        .process({ onWindow: (elements) => [elements] }),
    });
    const h = harness(kept);
    push(h, click('a', 1));
    h.watermark(9);
    const [first] = h.drain('out');
    push(h, click('a', 2));
    expect(first!.value).toHaveLength(1);
  });

  test('that throws takes neither other windows nor the end of its own with it', () => {
    const failing = (i: { clicks: DataStream<Click> }) => ({
      out: i.clicks
        .keyBy(({ user }) => user)
        .window(tens)
        .process({
          uid: 'windows',
          onWindow(elements, { key }) {
            if (key === 'b') throw new Error('no');
            return [elements.length];
          },
        }),
    });
    const h = harness(failing, { run: { onError: 'skip' } });
    push(h, click('a', 1), click('b', 1), click('c', 1));
    h.watermark(9);
    expect(h.drain('out').map(({ key }) => key)).toEqual(['a', 'c']);
    expect(storedState(h.snapshot(), 'windows').keyed).toEqual([]);
    const strict = harness(failing);
    push(strict, click('b', 1));
    expect(errorCode(() => strict.watermark(9))).toBe('operator/failed');
  });
});

test('an element whose windows are all late is dropped, not late, while its own time is not over', () => {
  const { alignment: _, ...aligned } = tens;
  const behind: WindowAssigner<Click> = { ...aligned, name: 'behind', assign: (value, at, now) => tens.assign(value, at - 30, now) };
  const h = harness(sums(behind, { allowedLateness: { milliseconds: 5 } }));
  h.watermark(40);
  push(h, click('a', 36), click('a', 35));
  expect(h.drain('late')).toEqual([click('a', 35)]);
});

test('an element of no window is counted as dropped', async () => {
  const odd: WindowAssigner<Click> = {
    ...tens,
    name: 'odd',
    assign: (value, at, now) => (value.n % 2 === 0 ? [] : tens.assign(value, at, now)),
  };
  const { alignment: _, ...unaligned } = odd;
  const env = new StreamEnvironment();
  const source = env.from(fromArray([1, 2, 3].map((n) => click('a', n, n))), { time: { timestamp: ({ at }) => at } });
  sums(unaligned)({ clicks: source }).out.sinkTo(discard());
  const job = await env.start('dropped');
  await job.finished;
  expect(job.metrics().operators.find(({ uid }) => uid === 'windows')).toMatchObject({ recordsIn: 3, recordsOut: 1, dropped: 1, late: 0 });
});
