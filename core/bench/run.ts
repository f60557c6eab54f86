import { chain } from './chain.ts';
import { csv } from './csv.ts';
import { diskState } from './diskState.ts';
import { keyed } from './keyed.ts';
import type { BenchResult } from './measure.ts';

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<BenchResult[]>>> = { chain, keyed, csv, 'disk-state': diskState };

/** Runs one benchmark file's worth and sends the results to the process that started this one. */
const [name, quick] = process.argv.slice(2);
if (name === 'list') process.send!(Object.keys(BENCHES));
else process.send!(await BENCHES[name!]!(quick === 'quick'));
process.disconnect();
