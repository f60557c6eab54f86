// What a worker thread of a job runs. Plain JavaScript, since TypeScript has to be made importable first.
import { workerData } from 'node:worker_threads';
import { loadTypeScript, runsFromSource } from './typeScript.js';

if (runsFromSource || /\.m?ts$/.test(workerData.assignment.program.module)) await loadTypeScript();
const { runWorker } = await import(runsFromSource ? '../src/node/workerMain.ts' : '../dist/node/workerMain.js');
await runWorker();
