import type { Evaluate, ValueType } from './term.ts';

/** An operator whose value is a matter of its operands' values alone. */
export interface ValueOperator {
  /** How many operands: at least, at most. */
  readonly operands: readonly [number, number];
  /** What each operand must be, where that is known; the last counts for those after it. */
  readonly takes: readonly ValueType[];
  readonly gives: ValueType;
  /** Written between its operands. */
  readonly infix?: true;
  readonly make: (operands: readonly Evaluate[]) => Evaluate;
}

/** Of two numbers, or two strings; anything else has no order. */
function ordered(compare: (a: number, b: number) => boolean): ValueOperator['make'] {
  return ([left, right]) =>
    (event, soFar, time, item) => {
      const a = left!(event, soFar, time, item);
      const b = right!(event, soFar, time, item);
      return typeof a === typeof b && (typeof a === 'number' || typeof a === 'string') && compare(a as number, b as number);
    };
}

function folded(fold: (a: number, b: number) => number): ValueOperator {
  return {
    operands: [2, 16],
    takes: ['number'],
    gives: 'number',
    infix: true,
    make: (operands) => (event, soFar, time, item) => {
      let total = operands[0]!(event, soFar, time, item);
      for (let i = 1; i < operands.length; i++) {
        const value = operands[i]!(event, soFar, time, item);
        if (typeof total !== 'number' || typeof value !== 'number') return undefined;
        total = fold(total, value);
      }
      return typeof total === 'number' && Number.isFinite(total) ? total : undefined;
    },
  };
}

function ofNumber(fn: (n: number) => number): ValueOperator {
  return {
    operands: [1, 1],
    takes: ['number'],
    gives: 'number',
    make: one((value) => (typeof value === 'number' ? fn(value) : undefined)),
  };
}

function ofText(fn: (text: string) => string): ValueOperator {
  return { operands: [1, 1], takes: ['text'], gives: 'text', make: one((value) => (typeof value === 'string' ? fn(value) : undefined)) };
}

function ofTexts(fn: (a: string, b: string) => boolean): ValueOperator {
  return {
    operands: [2, 2],
    takes: ['text'],
    gives: 'boolean',
    make: two((a, b) => typeof a === 'string' && typeof b === 'string' && fn(a, b)),
  };
}

/** Over the numbers of a list; `undefined` where it holds none. */
function ofNumbers(fn: (numbers: readonly number[]) => number | undefined): ValueOperator {
  return {
    operands: [1, 1],
    takes: ['list'],
    gives: 'number',
    make: one((value) => (Array.isArray(value) ? fn(value.filter((each): each is number => typeof each === 'number')) : undefined)),
  };
}

function one(fn: (value: unknown) => unknown): ValueOperator['make'] {
  return ([operand]) =>
    (event, soFar, time, item) =>
      fn(operand!(event, soFar, time, item));
}

function two(fn: (a: unknown, b: unknown) => unknown): ValueOperator['make'] {
  return ([a, b]) =>
    (event, soFar, time, item) =>
      fn(a!(event, soFar, time, item), b!(event, soFar, time, item));
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);

/** By their names in JSON. */
export const VALUE_OPERATORS: Readonly<Record<string, ValueOperator>> = {
  '<': { operands: [2, 2], takes: ['any'], gives: 'boolean', infix: true, make: ordered((a, b) => a < b) },
  '<=': { operands: [2, 2], takes: ['any'], gives: 'boolean', infix: true, make: ordered((a, b) => a <= b) },
  '+': folded((a, b) => a + b),
  '-': folded((a, b) => a - b),
  '*': folded((a, b) => a * b),
  '/': folded((a, b) => a / b),
  '%': folded((a, b) => a % b),
  abs: ofNumber(Math.abs),
  round: ofNumber(Math.round),
  floor: ofNumber(Math.floor),
  ceil: ofNumber(Math.ceil),
  lower: ofText((text) => text.toLowerCase()),
  upper: ofText((text) => text.toUpperCase()),
  trim: ofText((text) => text.trim()),
  startsWith: ofTexts((text, start) => text.startsWith(start)),
  endsWith: ofTexts((text, end) => text.endsWith(end)),
  concat: {
    operands: [2, 16],
    takes: ['text'],
    gives: 'text',
    make: (operands) => (event, soFar, time, item) => {
      let text = '';
      for (const operand of operands) {
        const value = operand(event, soFar, time, item);
        if (typeof value !== 'string') return undefined;
        text += value;
      }
      return text;
    },
  },
  contains: {
    operands: [2, 2],
    takes: ['any'],
    gives: 'boolean',
    make: two((whole, part) =>
      Array.isArray(whole) ? whole.includes(part) : typeof whole === 'string' && typeof part === 'string' && whole.includes(part),
    ),
  },
  length: {
    operands: [1, 1],
    takes: ['any'],
    gives: 'number',
    make: one((value) => (typeof value === 'string' || Array.isArray(value) ? value.length : undefined)),
  },
  at: {
    operands: [2, 2],
    takes: ['list', 'number'],
    gives: 'any',
    make: two((list, index) => (Array.isArray(list) && typeof index === 'number' ? (list as readonly unknown[]).at(index) : undefined)),
  },
  exists: { operands: [1, 1], takes: ['any'], gives: 'boolean', make: one((value) => value !== undefined && value !== null) },
  default: { operands: [2, 2], takes: ['any'], gives: 'any', make: two((value, otherwise) => value ?? otherwise) },
  sum: ofNumbers(total),
  avg: ofNumbers((numbers) => (numbers.length === 0 ? undefined : total(numbers) / numbers.length)),
  min: ofNumbers((numbers) => (numbers.length === 0 ? undefined : numbers.reduce((least, n) => Math.min(least, n)))),
  max: ofNumbers((numbers) => (numbers.length === 0 ? undefined : numbers.reduce((most, n) => Math.max(most, n)))),
};
