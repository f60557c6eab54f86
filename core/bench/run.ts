import { chain } from './chain.ts';
import { csv } from './csv.ts';
import { diskState } from './diskState.ts';
import { eventLoop } from './eventLoop.ts';
import { exchange } from './exchange.ts';
import { keyed } from './keyed.ts';
import { latency } from './latency.ts';
import type { BenchResult } from './measure.ts';
import { windows } from './windows.ts';

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<BenchResult[]>>> = {
  chain,
  keyed,
  windows,
  csv,
  latency,
  'event-loop': eventLoop,
  'disk-state': diskState,
  exchange,
};

/** Runs one benchmark file's worth and sends the results to the process that started this one. */
const [name, quick] = process.argv.slice(2);
if (name === 'list') process.send!(Object.keys(BENCHES));
else process.send!(await BENCHES[name!]!(quick === 'quick'));
process.disconnect();
