import { randomBytes } from 'node:crypto';
import { forEach, fromIterable, StreamEnvironment, valueState } from '../src/index.ts';

/** What a run of the child process tells. */
export interface DiskStateFigures {
  /** Thousands a second. */
  readonly inserts: number;
  readonly updates: number;
  /** The most memory that the process has held, in MB. */
  readonly resident: number;
}

const VALUE = 100;
const [keys, updates] = process.argv.slice(2).map(Number) as [number, number];
const random = generator();
/** Text that does not compress. */
const noise = Buffer.from(randomBytes(3 * 2 ** 20).toString('base64'));
let insertedAt = 0;

/** Every key once, in an order that has nothing to do with theirs, then keys at random. */
function* records(): Generator<number> {
  for (let i = 0; i < keys; i++) yield Math.imul(i, 0x9e3779b1) >>> 0;
  insertedAt = performance.now();
  for (let i = 0; i < updates; i++) yield Math.imul(random() % keys, 0x9e3779b1) >>> 0;
}

function valueOf(n: number): string {
  const at = ((n ^ (random() & 0xffff)) >>> 0) % (noise.length - VALUE);
  return noise.toString('latin1', at, at + VALUE);
}

function generator(): () => number {
  let state = 1;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 4;
}

const env = new StreamEnvironment();
let news = 0;
let olds = 0;
env
  .from(fromIterable(records()))
  .keyBy((n) => n)
  .process({
    state: { text: valueState<string>() },
    onElement(n: number, { state }) {
      const before = state.text.value();
      state.text.update(valueOf(n));
      return [before === undefined ? 0 : before.length];
    },
  })
  .sinkTo(forEach((length) => void (length === 0 ? news++ : (olds += length === VALUE ? 1 : 0))));
const start = performance.now();
await env.execute('disk-state', { state: { backend: 'disk' } });
const end = performance.now();
if (news !== keys || olds !== updates) throw new Error(`${news} new keys and ${olds} old ones, instead of ${keys} and ${updates}`);
const figures: DiskStateFigures = {
  inserts: keys / (insertedAt - start),
  updates: updates / (end - insertedAt),
  resident: process.resourceUsage().maxRSS / 1024,
};
process.send!(figures);
process.disconnect();
