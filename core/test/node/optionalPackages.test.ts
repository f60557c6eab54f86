import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Lets a program find none of some packages, as where nobody has installed them. */
const HIDE = `import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(\`
  export async function resolve(specifier, context, next) {
    if (specifier !== 'libsql' && specifier !== 'pg') return next(specifier, context);
    throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  }\`));`;

const PROGRAM = `import { fromArray, StreamEnvironment } from '@millrace/core';
import { postgresSink } from '@millrace/core/postgres';
import { sqliteSink } from '@millrace/core/sqlite';
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const table = { table: 't', columns: ['a'] };
for (const sink of [sqliteSink('never.db', table), postgresSink({ connection: {}, ...table })]) {
  const env = new StreamEnvironment();
  env.from(fromArray([{ a: 1 }])).sinkTo(sink);
  await env.execute('job', { logger }).catch(({ code, remedy }) => console.log(code, remedy));
}`;

test('entries can be imported without the packages that their sinks need; a job that needs one says which', async () => {
  const imports = ['tsx', `data:text/javascript,${encodeURIComponent(HIDE)}`].flatMap((each) => ['--import', each]);
  const flags = ['--conditions=@millrace/source', ...imports, '--input-type=module', '--eval', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: fileURLToPath(new URL('../..', import.meta.url)) });
  expect(stdout).toBe('package/missing Install it: npm install libsql.\npackage/missing Install it: npm install pg.\n');
});
