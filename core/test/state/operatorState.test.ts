import { describe, expect, test } from 'vitest';
import { OperatorStates } from '../../src/state/operatorState.ts';
import { errorCode } from '../time/errorCode.ts';

describe('operator states', () => {
  test('lists by name; what is empty is not in a snapshot', () => {
    const states = new OperatorStates();
    const positions = states.open<number>('positions', 'split');
    states.open('rules', 'broadcast');
    expect(positions.get()).toEqual([]);
    positions.update([1, 2]);
    expect([...states.entries()]).toEqual([{ state: 'positions', mode: 'split', items: [1, 2] }]);
    positions.update([]);
    expect([...states.entries()]).toEqual([]);
  });

  test('what several subtasks held comes together on restore', () => {
    const states = new OperatorStates();
    const positions = states.open<number>('positions', 'split');
    for (const items of [[1, 2], [3]]) states.restore({ state: 'positions', mode: 'split', items });
    expect(positions.get()).toEqual([1, 2, 3]);
  });

  test('two of one name, and one that is not declared, are errors', () => {
    const states = new OperatorStates();
    states.open('a', 'union');
    expect(errorCode(() => states.open('a', 'split'))).toBe('state/duplicate');
    expect(errorCode(() => states.restore({ state: 'gone', mode: 'split', items: [1] }))).toBe('state/restore');
  });
});
