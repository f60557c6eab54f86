import type { DataStream, Key } from '@millrace/core';
import { emit, setup } from 'xstate';
import { expectTypeOf, it } from 'vitest';
import { statechart } from '../../src/statechart.ts';

interface Alert {
  readonly card: string;
  readonly rule: string;
}

const machine = setup({
  types: { events: {} as { type: 'ALERT'; rule: string }, emitted: {} as { type: 'page'; rule: string }, output: {} as number },
}).createMachine({
  initial: 'idle',
  states: {
    idle: { on: { ALERT: { target: 'open', actions: emit(({ event }) => ({ type: 'page' as const, rule: event.rule })) } } },
    open: { after: { 3_600_000: 'idle' } },
  },
});

it('infers what a machine takes and gives', () => {
  const pages = (alerts: DataStream<Alert>) =>
    alerts.keyBy((a) => a.card).pipe(statechart(machine, { uid: 'pages', version: 1, event: (a) => ({ type: 'ALERT', rule: a.rule }) }));
  expectTypeOf<ReturnType<typeof pages>>().toExtend<DataStream<{ type: 'page'; rule: string }>>();
  const done = (alerts: DataStream<Alert>) => pages(alerts).side('done');
  expectTypeOf<ReturnType<typeof done>>().toExtend<DataStream<{ readonly key: Key; readonly output: number }>>();
  const wrong = (alerts: DataStream<Alert>) =>
    // @ts-expect-error the machine has no such event
    alerts.keyBy((a) => a.card).pipe(statechart(machine, { uid: 'pages', version: 1, event: () => ({ type: 'NOPE' }) }));
  expectTypeOf(wrong).toBeFunction();
});
