// npm run chaos -- [--seeds N] [--seed S] [--simulate] [--mutant NAME | --mutants [--processes]] [--verbose]: random jobs, killed and
// started again at random, against undisturbed ones: in processes of their own, or simulated on one thread. One seed replays a run.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const runner = fileURLToPath(new URL('../core/chaos/run.ts', import.meta.url));
const { status } = spawnSync(process.execPath, ['--conditions=@millrace/source', '--import=tsx', runner, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
