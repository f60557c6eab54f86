import { main } from '../src/cli/main.ts';
import { platform } from '../src/node/platform.ts';
import { executioner, pronounce, type Sentence } from './sentence.ts';
import './batch/job.ts';
import './job.ts';

/** What a process of the chaos is told: it waits for that with everything loaded, since loading takes longer than living. */
export interface Order extends Sentence {
  readonly args: readonly string[];
  /** Where subtasks run. */
  readonly driver: 'inline' | 'workers' | 'processes';
}

process.once('message', ({ args, driver, ...sentence }: Order) => {
  pronounce(sentence);
  executioner();
  useDriver(driver);
  void main(args, { loadTypeScript: async () => undefined });
});
process.send?.('ready');

/** The command runs jobs of more than one subtask in threads, if there are any. */
function useDriver(driver: Order['driver']): void {
  const changed = platform as { drivers?: Partial<typeof platform.drivers> };
  if (driver === 'inline') delete changed.drivers;
  else if (driver === 'processes') changed.drivers = { workers: platform.drivers!.processes };
}
