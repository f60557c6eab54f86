// Lets a process import TypeScript. Plain JavaScript, since it is what makes TypeScript importable.
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import * as hooks from './hooks.js';

/**
 * True in a checkout, and where somebody asked for the sources by the export condition `@millrace/source`. What is published has no
 * compiler options beside it.
 */
export const runsFromSource =
  existsSync(new URL('../tsconfig.json', import.meta.url)) || import.meta.resolve('@millrace/core').endsWith('/src/index.ts');

let loading;

/**
 * Loads TypeScript, once, with the optional package tsx. In a checkout `@millrace/source` becomes a condition of every import as well, by a
 * hook instead of `--conditions`: no second process is needed, and the command and the job that it runs share one copy of the engine.
 */
export function loadTypeScript() {
  loading ??= register();
  return loading;
}

async function register() {
  const tsx = await import('tsx/esm/api');
  tsx.register();
  const data = { fromSource: runsFromSource };
  if (module.registerHooks === undefined) return module.register('./hooks.js', import.meta.url, { data });
  hooks.initialize(data);
  module.registerHooks({ resolve: hooks.resolve });
}
