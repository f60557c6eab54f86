import { parseArgs } from 'node:util';
import { readTable, TableError } from './table.ts';
import { judge, summary, type Verdict } from './verdict.ts';

/** FILE [--only ID]: prints a line per case that failed or was skipped, and one with the numbers. Exit code 0 if none failed, 2 for a wrong call. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
  const cases = readTable(positionals[0] ?? '').filter(({ id }) => values.only === undefined || id === values.only);
  if (values.only !== undefined && cases.length === 0) throw new TableError(`The table has no case "${values.only}".`);
  const verdicts: Verdict[] = [];
  for (const each of cases) {
    const verdict = await judge(each);
    verdicts.push(verdict);
    if (verdict.result !== 'passed') console.log(`${verdict.result.padEnd(7)} ${verdict.id} [${verdict.kind}]: ${verdict.detail}`);
  }
  console.log(summary(verdicts));
  return verdicts.some(({ result }) => result === 'failed') ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TableError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
