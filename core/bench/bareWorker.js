// A worker is started with a file that needs no compiling.
import { loadTypeScript } from '../bin/typeScript.js';

await loadTypeScript();
await import('./bareWorker.ts');
