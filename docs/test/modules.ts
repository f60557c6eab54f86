import { execFile, fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));
/** Where what is extracted goes; not committed. Within the repository, so that it finds the packages. */
export const scratch: string = join(root, 'docs', '.snippets');

/** The project's options, but for what only its own packages need. */
const OPTIONS = {
  composite: false,
  declaration: false,
  declarationMap: false,
  sourceMap: false,
  isolatedDeclarations: false,
  rewriteRelativeImportExtensions: false,
  allowImportingTsExtensions: true,
  noUnusedLocals: false,
  noEmit: true,
};

/** Compiles every module below a folder in one go. Gives the compiler's complaints, none if there are none. */
export function typeCheck(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions: OPTIONS, include: ['**/*.ts'] }));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [compiler, '-p', config, '--pretty', 'false'],
      { cwd: folder, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => resolve(error === null ? '' : `${stdout}${stderr}`),
    );
  });
}

/** What a module printed, and what it threw. */
export interface ModuleRun {
  readonly output: string;
  readonly error: string | undefined;
}

const MARK = '\u0001end of module\u0001\n';
/** How long all the modules of a process may take together, in ms: one of them may never end, or leave something open. */
const PATIENCE = 50_000;

/** Imports modules one after the other in a process of their own. */
export function runModules(files: readonly string[], cwd: string): Promise<readonly ModuleRun[]> {
  if (files.length === 0) return Promise.resolve([]);
  const runner = fileURLToPath(new URL('runModules.js', import.meta.url));
  const execArgv = ['--conditions=@millrace/source', '--enable-source-maps', '--import', import.meta.resolve('tsx')];
  const env = { ...process.env, MARK };
  const child = fork(runner, [...files], { cwd, execArgv, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], timeout: PATIENCE });
  const errors = new Map<string, string>();
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.on('message', ({ file, error }: { readonly file: string; readonly error: string }) => errors.set(file, error));
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      const outputs = stdout.split(MARK);
      const ended = outputs.length - 1;
      const runs = files.map((file, at): ModuleRun => {
        const unended = `It did not come to its end (${signal ?? `exit code ${code}`}).\n${stderr}`;
        return { output: (outputs[at] ?? '').trimEnd(), error: errors.get(file) ?? (at < ended ? undefined : unended) };
      });
      // All came to their ends, but the process did not: something is still open.
      if (ended === files.length && code !== 0)
        runs[ended - 1] = { ...runs[ended - 1]!, error: `The process did not end in order (${signal ?? code}).\n${stderr}` };
      resolve(runs);
    });
  });
}
