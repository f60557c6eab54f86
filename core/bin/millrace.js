#!/usr/bin/env node
// The command `millrace`. Plain JavaScript that is committed: npm links a command only if its file is there when it installs.
import { loadTypeScript, runsFromSource } from './typeScript.js';

if (runsFromSource) await loadTypeScript();
const { main } = await import(runsFromSource ? '../src/cli.ts' : '../dist/cli.js');
await main(process.argv.slice(2), { loadTypeScript });
