// npm run bench -- PACKAGE [--quick] [--checkpointed] [--json FILE] [--only NAME]: each file of benchmarks in a process of its own, so that none
// profits or suffers from what ran before it. Every ratio is of two sides measured in turn in one process.
import { fork } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    checkpointed: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const runner = join(root, positionals[0] ?? '', 'bench', 'run.ts');
if (values.help || positionals.length !== 1 || !existsSync(runner)) {
  console.error(
    'Usage: npm run bench -- PACKAGE [--quick] [--checkpointed] [--json FILE] [--only NAME]\nPACKAGE is a package with a bench/ folder, such as core. --checkpointed: its jobs take a checkpoint every second.',
  );
  process.exit(values.help ? 0 : 2);
}

console.error(`${cpus()[0]?.model ?? 'unknown processor'} × ${cpus().length}, Node ${process.version}${values.quick ? ', quick' : ''}`);
const results = [];
for (const name of chosen(await ask('list'))) {
  for (const result of await ask(name)) {
    results.push(result);
    const { id, ours, baseline, unit, ratio } = result;
    console.log(
      `${id.padEnd(36)} ${format(ours).padStart(9)} ${format(baseline).padStart(9)} ${unit.padEnd(14)} ratio ${ratio.toFixed(2)}`,
    );
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);

function chosen(names) {
  if (values.only === undefined) return names;
  if (names.includes(values.only)) return [values.only];
  console.error(`There is no benchmark "${values.only}" in ${positionals[0]}. There are: ${names.join(', ')}.`);
  process.exit(2);
}

function ask(name) {
  return new Promise((resolve, reject) => {
    const execArgv = ['--conditions=@millrace/source', '--import=tsx', '--expose-gc', '--max-old-space-size=6144'];
    const env = { ...process.env, ...(values.checkpointed && { MILLRACE_BENCH_CHECKPOINTED: '1' }) };
    const child = fork(runner, [name, values.quick ? 'quick' : 'full'], { execArgv, cwd: root, env });
    let answer;
    child.on('message', (message) => (answer = message));
    child.on('exit', (code) => (answer === undefined ? reject(new Error(`The benchmark "${name}" ended with ${code}.`)) : resolve(answer)));
  });
}

function format(figure) {
  return figure >= 100 ? figure.toFixed(0) : figure >= 10 ? figure.toFixed(1) : figure.toFixed(2);
}
