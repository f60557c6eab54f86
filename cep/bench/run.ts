import type { BenchResult } from '../../core/bench/measure.ts';
import { memory } from './memory.ts';
import { patterns } from './patterns.ts';
import { rules } from './rules.ts';
import { statecharts } from './statechart.ts';

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<BenchResult[]>>> = { patterns, memory, rules, statechart: statecharts };

/** Runs one benchmark file's worth and sends the results to the process that started this one. */
const [name, quick] = process.argv.slice(2);
if (name === 'list') process.send!(Object.keys(BENCHES));
else process.send!(await BENCHES[name!]!(quick === 'quick'));
process.disconnect();
