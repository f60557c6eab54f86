import { fork } from 'node:child_process';

/** Runs a file of this folder in a process of its own, which tells one message: the figures. */
export function runApart<F>(file: string, args: readonly (number | string)[], execArgv: readonly string[] = process.execArgv): Promise<F> {
  const child = fork(new URL(file, import.meta.url), args.map(String), { execArgv: [...execArgv] });
  return new Promise((resolve, reject) => {
    let figures: { readonly figures: F } | undefined;
    child.on('message', (message) => (figures = { figures: message as F }));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (figures !== undefined && code === 0) resolve(figures.figures);
      else reject(new Error(`${file} ended with exit code ${String(code)}`));
    });
  });
}
