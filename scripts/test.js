// The whole suite: types, lint, format, then every test. Goes on after a failure, so that one run shows everything.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const long = process.argv.includes('--long');

const steps = [
  { name: 'types', command: 'tsc', args: ['-b'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', command: 'prettier', args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'tests', command: 'vitest', args: ['run', '--reporter=default'] },
];

/** @type {{ name: string, passed: boolean, seconds: number }[]} */
const results = [];
for (const { name, command, args } of steps) {
  console.log(`\n— ${name}`);
  const started = performance.now();
  const { status } = spawnSync('npx', ['--no-install', command, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(long && { MILLRACE_LONG: '1' }) },
    shell: process.platform === 'win32',
  });
  results.push({ name, passed: status === 0, seconds: (performance.now() - started) / 1000 });
}

console.log('');
for (const { name, passed, seconds } of results) console.log(`${passed ? 'passed' : 'FAILED'}  ${name.padEnd(8)} ${seconds.toFixed(1)} s`);
const failed = results.filter(({ passed }) => !passed).length;
console.log(failed === 0 ? 'everything passed' : `${failed} of ${results.length} steps failed`);
process.exit(failed === 0 ? 0 : 1);
