import { rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { familyFiles } from '../simulation/families.ts';

/** Beside the packages, so that what is not in the bundle is found from there; of this run alone, whatever is edited meanwhile. */
const FOLDER = new URL(`../../node_modules/.cache/millrace-chaos/${process.pid}/`, import.meta.url);
const FILES = new URL('core/files/', FOLDER);

let built: Promise<void> | undefined;

/** The worker and the jobs as plain JavaScript in a few files: loading hundreds of them would take longer than a process lives. */
export async function workerBundle(): Promise<{ readonly worker: string; readonly job: string; readonly batchJob: string }> {
  built ??= bundle();
  await built;
  const file = (name: string): string => fileURLToPath(new URL(name, FILES));
  return { worker: file('worker.js'), job: file('job.js'), batchJob: file('batchJob.js') };
}

/** In a bundle nothing can be looked for: what there is is named. */
const withFamilies: Plugin = {
  name: 'families',
  setup(bundler) {
    bundler.onLoad({ filter: /[/\\]simulation[/\\]families\.ts$/ }, () => {
      const imports = familyFiles().map((file, i) => `import { family as family${i} } from ${JSON.stringify(file)};`);
      const contents = [...imports, `export const FAMILIES = [${imports.map((_, i) => `family${i}`).join(', ')}];`].join('\n');
      return { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) };
    });
  },
};

async function bundle(): Promise<void> {
  const files = {
    worker: 'worker.ts',
    job: 'job.ts',
    batchJob: 'batch/job.ts',
    workerMain: '../src/node/workerMain.ts',
    processMain: '../src/node/processMain.ts',
  };
  const entryPoints = Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, fileURLToPath(new URL(file, import.meta.url))]),
  );
  process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }));
  await build({
    entryPoints,
    outdir: fileURLToPath(FILES),
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    conditions: ['@millrace/source'],
    plugins: [withFamilies],
    external: ['xstate', 'date-fns', '@date-fns/tz', 'zod', '@aws-sdk/*', '@smithy/*', 'tsx', 'lmdb', 'classic-level', 'libsql'],
  });
  // Where the engine looks for what a thread and a child process begin with, seen from the bundle.
  const bin = new URL('bin/', FOLDER);
  await mkdir(bin, { recursive: true });
  await writeFile(new URL('worker.js', bin), "const { runWorker } = await import('../core/files/workerMain.js');\nawait runWorker();\n");
  const begin = "const { runProcess } = await import('../core/files/processMain.js');\nawait runProcess(async () => undefined);\n";
  await writeFile(new URL('process.js', bin), begin);
}
