import { isCheckpointed } from './benchEnvironment.ts';
import { chain } from './chain.ts';
import { checkpointPause } from './checkpointPause.ts';
import { csv } from './csv.ts';
import { diskState } from './diskState.ts';
import { eventLoop } from './eventLoop.ts';
import { exchange } from './exchange.ts';
import { keyed } from './keyed.ts';
import { latency } from './latency.ts';
import type { BenchResult } from './measure.ts';
import { parallelSpeedup } from './parallelSpeedup.ts';
import { recovery } from './recovery.ts';
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
  'parallel-speedup': parallelSpeedup,
  'checkpoint-pause': checkpointPause,
  recovery,
};

/** Those that are run again with a checkpoint every second. */
const CHECKPOINTED = ['chain', 'keyed', 'windows', 'latency', 'event-loop'];

/** Runs one benchmark file's worth and sends the results to the process that started this one. */
const [name, quick] = process.argv.slice(2);
if (name === 'list') process.send!(isCheckpointed ? CHECKPOINTED : Object.keys(BENCHES));
else process.send!((await BENCHES[name!]!(quick === 'quick')).flatMap(named));
process.disconnect();

/** What is no job of ours takes no checkpoints. */
function named(result: BenchResult): BenchResult[] {
  if (!isCheckpointed) return [result];
  return /-memory-|-loop-vs-/.test(result.id) ? [] : [{ ...result, id: `${result.id}-checkpointed` }];
}
