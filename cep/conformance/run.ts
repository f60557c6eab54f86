import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { asText, isAsExpected, type Outcome } from './outcome.ts';
import { runPatternCase, runQuirk } from './patternCases.ts';
import { runEmptyMatchCase, runValidationCase } from './buildCases.ts';
import { runOperatorCase } from './operatorCases.ts';
import type { Table } from './table.ts';

interface Case {
  readonly id: string;
  readonly kind: string;
  readonly run: () => Outcome;
}

/** FILE [--only ID]: prints a line per case that failed, and one with the numbers. Exit code 0 if none failed, 2 for a wrong call. */
function main(): number {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
  const cases = casesOf(JSON.parse(readFileSync(positionals[0]!, 'utf8')) as Table).filter(
    ({ id }) => values.only === undefined || values.only === id,
  );
  if (cases.length === 0) {
    console.error(values.only === undefined ? 'The table has no cases.' : `The table has no case "${values.only}".`);
    return 2;
  }
  let failed = 0;
  for (const each of cases) {
    const problem = judge(each);
    if (problem === undefined) continue;
    failed++;
    console.log(`failed  ${each.id} [${each.kind}]: ${problem}`);
  }
  console.log(`${cases.length - failed} passed, ${failed} failed, 0 skipped`);
  return failed === 0 ? 0 : 1;
}

function judge({ run }: Case): string | undefined {
  try {
    const outcome = run();
    return isAsExpected(outcome) ? undefined : `expected ${asText(outcome.expected)}, actual ${asText(outcome.actual)}`;
  } catch (error) {
    return `it threw ${(error as Error).stack?.replaceAll(/\s+/g, ' ')}`;
  }
}

function casesOf({
  cases = [],
  randomCases = [],
  quirks = [],
  operatorCases = [],
  validationCases = [],
  emptyMatchCases = [],
}: Table): Case[] {
  return [
    ...cases.map((each) => ({ id: each.id, kind: 'case', run: () => runPatternCase(each) })),
    ...randomCases.map((each) => ({ id: each.id, kind: 'random', run: () => runPatternCase(each) })),
    ...quirks.map((each) => ({ id: each.id, kind: 'quirk', run: () => runQuirk(each) })),
    ...operatorCases.map((each) => ({ id: each.id, kind: 'operator', run: () => runOperatorCase(each) })),
    ...validationCases.map((each) => ({ id: each.id, kind: 'validation', run: () => runValidationCase(each) })),
    ...emptyMatchCases.map((each, at) => ({ id: String(at), kind: 'empty match', run: () => runEmptyMatchCase(each) })),
  ];
}

process.exitCode = main();
