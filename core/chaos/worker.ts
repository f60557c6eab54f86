import { main } from '../src/cli/main.ts';
import { platform } from '../src/node/platform.ts';
import { executioner, pronounce, type Sentence } from './sentence.ts';
import './job.ts';

/** What a process of the chaos is told: it waits for that with everything loaded, since loading takes longer than living. */
export interface Order extends Sentence {
  readonly args: readonly string[];
  /** Where subtasks run. */
  readonly driver: 'inline' | 'workers';
}

process.once('message', ({ args, driver, ...sentence }: Order) => {
  pronounce(sentence);
  executioner();
  if (driver === 'inline') delete (platform as { drivers?: unknown }).drivers;
  void main(args, { loadTypeScript: async () => undefined });
});
process.send?.('ready');
