import { count, defineSource, forEach, noRestart, StreamEnvironment, sum } from '../src/index.ts';
import { directory } from '../src/node.ts';

/** What a run of the child process tells. */
export interface RecoveryFigures {
  /** Wall time of the first output, in ms. */
  readonly at: number;
}

const BATCH = 1024;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const [folder, keys, phase] = process.argv.slice(2) as [string, string, 'fill' | 'restart'];
const most = Number(keys);

/** The keys one after the other, again and again; in the first run each of them once. */
const elements = defineSource<string, number>({
  name: 'elements',
  bounded: false,
  open: () => ({
    splits: async () => ['all'],
    async *read(_split, from = 0, { signal }) {
      for (let i = from; phase === 'restart' || i < most; i += BATCH) {
        const size = phase === 'restart' ? BATCH : Math.min(BATCH, most - i);
        yield { values: Array.from({ length: size }, (_, n) => `key-${(i + n) % most}`), position: i + size };
      }
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  }),
});

let arrived = 0;
let onResult: (result: { readonly key: string; readonly value: { readonly n: number; readonly length: number } }) => void;
const first = new Promise<void>((resolve, reject) => {
  onResult = ({ key, value: { n, length } }) => {
    arrived++;
    if (phase === 'fill') return arrived === most ? resolve() : undefined;
    if (arrived > 1) return;
    if (key === 'key-0' && n === 2 && length === 2 * key.length) resolve();
    else reject(new Error(`the first output is ${n} of ${key}`));
  };
});
const env = new StreamEnvironment();
env
  .from(elements, { uid: 'elements' })
  .keyBy((key) => key)
  .aggregate({ n: count(), length: sum((key: string) => key.length) }, { uid: 'totals' })
  .sinkTo(
    forEach((result) => onResult(result)),
    { uid: 'sink' },
  );
const checkpoint = { storage: directory(folder) };
const options = { logger: SILENT, checkpoint, restart: noRestart(), ...(phase === 'restart' && { restore: 'latest' as const }) };
const job = await env.start('recovery', options);
await first;
process.send!({ at: Date.now() } satisfies RecoveryFigures);
await (phase === 'fill' ? job.stop() : job.cancel());
process.disconnect();
