// npm run conformance -- PACKAGE FILE [--only ID]: runs a table of exact cases (input -> output) against a package.
// Exit code 0 only if no case failed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const TABLES = ['core', 'cep'];
const USAGE = 'Usage: npm run conformance -- <core|cep> FILE.json [--only ID]';

const root = fileURLToPath(new URL('..', import.meta.url));
const { name, file, only } = readArguments();
const runner = join(root, name, 'conformance', 'run.ts');
if (!existsSync(runner)) stop(`There is no package @millrace/${name} yet: nothing to run its table against.`);
const path = ['INIT_CWD' in process.env ? process.env.INIT_CWD : '.', '.']
  .map((from) => resolve(from, file))
  .find((each) => existsSync(each));
if (path === undefined) stop(`There is no file ${file}.`);

const args = [path, ...(only === undefined ? [] : ['--only', only])];
const { status } = spawnSync(process.execPath, ['--conditions=@millrace/source', '--import=tsx', runner, ...args], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
    const [name, file] = positionals;
    if (positionals.length === 2 && TABLES.includes(name)) return { name, file, only: values.only };
  } catch (error) {
    console.error(error.message);
  }
  return stop(USAGE);
}

function stop(message) {
  console.error(message);
  process.exit(2);
}
