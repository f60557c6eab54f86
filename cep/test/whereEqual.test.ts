import { describe, expect, test } from 'vitest';
import { explain, pattern } from '../src/index.ts';
import { matches, trial } from '../src/testing.ts';

interface Step {
  readonly kind: 'order' | 'cancel' | 'pay';
  readonly id: number | undefined;
}

const isKind =
  (kind: Step['kind']) =>
  (step: Step): boolean =>
    step.kind === kind;
const step = (kind: Step['kind'], id: number | undefined): Step => ({ kind, id });
const start = () => pattern<Step>().begin('order').where(isKind('order'));
const paid = () => start().followedBy('pay').where(isKind('pay')).whereEqual('id', 'order');

describe('whereEqual', () => {
  test('finds the runs that agree, and asks no others', () => {
    let asked = 0;
    const counted = paid().where((_, { order }) => {
      asked++;
      return order !== undefined;
    });
    const events = [...Array.from({ length: 100 }, (_, id) => step('order', id)), step('pay', 42), step('pay', 7), step('pay', 100)];
    expect(matches(counted, events).map(({ order: [order], pay: [pay] }) => [order.id, pay.id])).toEqual([
      [42, 42],
      [7, 7],
    ]);
    expect(asked).toBe(2);
  });

  test('finds those that must not meet an event, too', () => {
    const kept = start()
      .notFollowedBy('cancel')
      .where(isKind('cancel'))
      .whereEqual('id', 'order')
      .followedBy('pay')
      .where(isKind('pay'))
      .whereEqual('id', 'order');
    const events = [step('order', 1), step('order', 2), step('cancel', 1), step('pay', 1), step('pay', 2)];
    expect(matches(kept, events).map(({ order: [{ id }] }) => id)).toEqual([2]);
    expect(explain(kept).lookups).toEqual(['order -> pay: pay.id equals order.id']);
  });

  test('is shown by explain', () => {
    expect(explain(paid())).toMatchObject({ executor: 'runs', lookups: ['order -> pay: pay.id equals order.id'] });
    // What directly follows is looked at anyway.
    expect(explain(start().next('pay').whereEqual('id', 'order')).lookups).toEqual([]);
    const opaque = start()
      .followedBy('pay')
      .where((pay, { order }) => pay.id === order?.[0].id);
    expect(explain(opaque).lookups).toEqual([]);
  });

  test('compares as === does', () => {
    expect(matches(paid(), [step('order', NaN), step('pay', NaN)])).toEqual([]);
    expect(matches(paid(), [step('order', 0), step('pay', -0)])).toHaveLength(1);
    expect(matches(paid(), [step('order', undefined), step('pay', undefined)])).toHaveLength(1);
  });

  test('equals nothing where the step has taken nothing', () => {
    const optional = start()
      .followedBy('cancel')
      .where(isKind('cancel'))
      .optional()
      .followedBy('pay')
      .where(isKind('pay'))
      .whereEqual('id', 'cancel');
    const events = [step('order', 1), step('pay', 1), step('cancel', 2), step('pay', 2)];
    expect(matches(optional, events).map((found) => found.cancel.length)).toEqual([1]);
  });

  test('a value that fails is the failure of the event, and the run still comes to its end', () => {
    const fails = start()
      .followedBy('pay')
      .where(isKind('pay'))
      .whereEqual(
        ({ id }) => id,
        'order',
        ({ id }: Step) => id!.toFixed(),
      )
      .within({ milliseconds: 10 });
    const tried = trial(fails);
    expect(() => tried.event(step('order', undefined), 0)).toThrow(TypeError);
    tried.event(step('pay', 1), 1);
    tried.advance(10);
    expect(tried.takeTimedOut()).toEqual([{ match: { order: [step('order', undefined)] }, at: 10 }]);
  });
});
