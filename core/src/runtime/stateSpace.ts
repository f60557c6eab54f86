import { MillraceError } from '../errors/millraceError.ts';
import type { KeyedBackend } from '../state/backend.ts';
import type { KeyStore } from '../state/keyStore.ts';
import { MemoryBackend } from '../state/memoryBackend.ts';
import { MemoryShare } from '../state/memoryShare.ts';
import { PagedBackend } from '../state/pagedBackend.ts';
import type { Backpressure } from '../state/writeBehind.ts';
import type { Clock } from '../time/clock.ts';
import type { Platform } from './platform.ts';

/** How keyed state is held. Plain data. */
export interface StateSettings {
  /** Where what does not fit into memory goes; `undefined`: where the system keeps temporary files. */
  readonly directory: string | undefined;
  /** How many bytes of memory the keys may take that are in memory. */
  readonly cacheBytes: number;
}

/** Holds the keyed state of a host's tasks. */
export class StateSpace {
  private readonly settings: StateSettings | undefined;
  private readonly platform: Platform;
  private readonly share: MemoryShare;
  private readonly backends: PagedBackend[] = [];
  private store: KeyStore | undefined;

  /** Without settings all state is in memory. */
  constructor(settings: StateSettings | undefined, platform: Platform) {
    this.settings = settings;
    this.platform = platform;
    this.share = new MemoryShare(settings?.cacheBytes ?? 0);
  }

  backend(clock: Clock, maxParallelism: number, backpressure: Backpressure): KeyedBackend {
    if (this.settings === undefined) return new MemoryBackend(clock);
    const { share } = this;
    const backend = new PagedBackend({
      clock,
      store: () => this.store!,
      number: this.backends.length,
      maxParallelism,
      share,
      backpressure,
    });
    this.backends.push(backend);
    return backend;
  }

  /** Before any state is touched. */
  async open(): Promise<void> {
    if (this.settings === undefined) return;
    if (this.platform.openKeyStore === undefined) {
      throw new MillraceError('graph/option', "state.backend is 'disk', and this host has no disk.", {
        remedy: 'Leave it out: state is held in memory.',
      });
    }
    this.store = await this.platform.openKeyStore(this.settings.directory);
  }

  async close(): Promise<void> {
    await Promise.all(this.backends.map((backend) => backend.close()));
    await this.store?.close();
  }
}
