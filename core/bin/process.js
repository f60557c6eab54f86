// What a child process of a job runs. Plain JavaScript, since TypeScript has to be made importable first.
import { loadTypeScript, runsFromSource } from './typeScript.js';

if (runsFromSource) await loadTypeScript();
const { runProcess } = await import(runsFromSource ? '../src/node/processMain.ts' : '../dist/node/processMain.js');
await runProcess(async (module) => {
  if (/\.m?ts$/.test(module)) await loadTypeScript();
});
