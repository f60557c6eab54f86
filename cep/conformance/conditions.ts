import type { ConditionContext } from '../src/index.ts';
import type { TableCondition, TableEvent } from './table.ts';

type SoFar = Readonly<Record<string, readonly TableEvent[] | undefined>>;
type Test = (event: TableEvent, soFar: SoFar, context: ConditionContext) => boolean;

const COMPARISONS: Readonly<Record<string, (a: never, b: never) => boolean>> = {
  eq: (a, b) => a === b,
  gt: (a, b) => a > b,
  lt: (a, b) => a < b,
  gte: (a, b) => a >= b,
  lte: (a, b) => a <= b,
  contains: (a: string, b: string) => a.includes(b),
  startsWith: (a: string, b: string) => a.startsWith(b),
};

/** The condition as a function: with one parameter where it speaks of the event alone. */
export function conditionOf(condition: TableCondition): (event: TableEvent) => boolean {
  const test = testOf(condition);
  if (isIterative(condition)) return test as never;
  return (event) => test(event, {}, { timestamp: event.ts });
}

function isIterative({ op, of, args = [] }: TableCondition): boolean {
  return of !== undefined || op === 'ctxTimestampEq' || args.some(isIterative);
}

function testOf(condition: TableCondition): Test {
  if (condition.args !== undefined) return combinedTest(condition);
  if (condition.agg !== undefined) return aggregateTest(condition);
  if (condition.of !== undefined) return condition.op === 'cmpLast' ? lastTest(condition) : firstTest(condition);
  const { op, field, value } = condition;
  if (op === 'true') return () => true;
  if (op === 'isType') return (event) => event.type === condition.type || condition.type === 'Event';
  if (op === 'ctxTimestampEq') return (event, _soFar, context) => context.timestamp === event.ts;
  const compare = COMPARISONS[op];
  if (compare === undefined || field === undefined)
    throw new Error(`The table has a condition ${JSON.stringify(condition)} that the runner does not know.`);
  return (event) => compare(event[field] as never, value as never);
}

function combinedTest({ op, args = [] }: TableCondition): Test {
  const parts = args.map(testOf);
  if (op === 'not') return (event, soFar, context) => !parts[0]!(event, soFar, context);
  if (op === 'or') return (event, soFar, context) => parts.some((part) => part(event, soFar, context));
  return (event, soFar, context) => parts.every((part) => part(event, soFar, context));
}

function firstTest({ of, field }: TableCondition): Test {
  return (event, soFar) => {
    const first = soFar[of!]?.[0];
    return first !== undefined && first[field!] === event[field!];
  };
}

function lastTest({ of, field, cmp, ifNone }: TableCondition): Test {
  const compare = COMPARISONS[cmp!]!;
  return (event, soFar) => {
    const last = soFar[of!]?.at(-1);
    return last === undefined ? ifNone === true : compare(event[field!] as never, last[field!] as never);
  };
}

function aggregateTest({ op, agg, of, field, includeCurrent, value }: TableCondition): Test {
  const compare = COMPARISONS[op]!;
  return (event, soFar) => {
    const events = [...(soFar[of!] ?? []), ...(includeCurrent === true ? [event] : [])];
    const total = agg === 'count' ? events.length : events.reduce((sum, each) => sum + Number(each[field!] ?? 0), 0);
    return compare(total as never, value as never);
  };
}
