import { listState, mapState, type TimeToLive, valueState } from '../src/index.ts';
import { MemoryBackend } from '../src/state/memoryBackend.ts';
import { decodeSelfContained, encodeSelfContained } from '../src/state/selfContained.ts';
import type { StateEntry } from '../src/state/backend.ts';
import { ManualClock } from '../src/time/manualClock.ts';
import type { Kind, Outcome } from './outcome.ts';
import type { Case, Config, Step } from './table.ts';
import { ms, timeOf } from './times.ts';

/** One value of a key, whatever kind of state holds it. */
interface Cell {
  set(value: unknown): void;
  get(): unknown;
  clear(): void;
}

/** Opens a state of one kind as a {@link Cell}. */
type Open = (backend: MemoryBackend, ttl: TimeToLive) => Cell;

const KINDS: Readonly<Record<string, Open>> = {
  value(backend, ttl) {
    const state = backend.open('state', valueState<unknown>({ ttl }));
    return { set: (value) => state.update(value), get: () => state.value(), clear: () => state.clear() };
  },
  list(backend, ttl) {
    const state = backend.open('state', listState<unknown>({ ttl }));
    return { set: (value) => state.update([value]), get: () => [...state.get()][0], clear: () => state.clear() };
  },
  map(backend, ttl) {
    const state = backend.open('state', mapState<string, unknown>({ ttl }));
    return { set: (value) => state.put('only', value), get: () => state.get('only'), clear: () => state.clear() };
  },
};

interface TtlCase extends Case {
  readonly input: readonly Step[];
  readonly expect: readonly unknown[];
}

/** `ttl`: state that expires, held as a value, as an element of a list, and under a key of a map. */
export const ttl: Kind<TtlCase> = (given) => Object.entries(KINDS).map(([variant, open]) => run(given, variant, open));

function run({ config, input, expect }: TtlCase, variant: string, open: Open): Outcome {
  const stored = new StoredCell(open, timeToLiveOf(config));
  const actual = input.map((step) => {
    const result = take(stored, step);
    if (config['snapshotRestoreBetweenSteps'] === true) stored.restore();
    return result ?? null;
  });
  return { variant, expected: expect, actual };
}

function take(stored: StoredCell, [step, ...args]: Step): unknown {
  if (step === 'rawEmpty') return stored.isEmpty;
  const [operation, value] = step === 'at' ? args.slice(1) : [step, ...args];
  if (step === 'at') stored.clock.advanceTo(timeOf(args[0]));
  if (operation === 'get') return stored.cell.get();
  if (operation === 'rawEmpty') return stored.isEmpty;
  if (operation === 'set' || operation === 'update') stored.cell.set(value);
  else if (operation === 'clear') stored.cell.clear();
  else throw new Error(`There is no step "${String(operation)}".`);
  return null;
}

function timeToLiveOf(config: Config): TimeToLive {
  const { ttl: after, update, visibility } = config;
  return {
    after: ms(after),
    update: update === 'OnReadAndWrite' ? 'onReadAndWrite' : 'onCreateAndWrite',
    visibility: visibility === 'ReturnExpiredIfNotCleanedUp' ? 'returnExpiredIfNotCleanedUp' : 'neverReturnExpired',
  };
}

/** The state of one key over a clock that is moved by hand. */
class StoredCell {
  readonly clock = new ManualClock();
  cell: Cell;
  private readonly open: Open;
  private readonly ttl: TimeToLive;
  private backend: MemoryBackend;

  constructor(open: Open, timeToLive: TimeToLive) {
    this.open = open;
    this.ttl = timeToLive;
    this.backend = new MemoryBackend(this.clock);
    this.cell = this.begin();
  }

  /** Whether nothing is held, not even what has expired. */
  get isEmpty(): boolean {
    return [...this.backend.keys()].length === 0;
  }

  restore(): void {
    const entries = decodeSelfContained(encodeSelfContained([...this.backend.entries()])) as readonly StateEntry[];
    this.backend = new MemoryBackend(this.clock);
    this.cell = this.begin();
    for (const entry of entries) this.backend.restore(entry);
    this.backend.enter('key');
  }

  private begin(): Cell {
    const cell = this.open(this.backend, this.ttl);
    this.backend.enter('key');
    return cell;
  }
}
