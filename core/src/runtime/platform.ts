import type { KeyStore } from '../state/keyStore.ts';
import type { SpillSpace } from '../state/spill.ts';
import type { Clock } from '../time/clock.ts';
import type { JobAssignment } from './hostAssignment.ts';
import type { HostDriver } from './hostDriver.ts';

/** What the engine asks of its host. */
export interface Platform {
  readonly clock: Clock;
  /** Calls back in a later turn of the event loop, after waiting I/O had its turn. */
  later(callback: () => void): void;
  /**
   * Storage for what does not fit into memory; where there is none, everything stays in memory.
   *
   * @internal
   */
  readonly spill?: SpillSpace;
  /**
   * A store for keyed state larger than memory, in a directory, or where temporary files are.
   *
   * @internal
   */
  readonly openKeyStore?: (directory: string | undefined) => Promise<KeyStore>;
  /** Chance in [0, 1), for spreading restarts; results never depend on it. */
  readonly random?: () => number;
  /** CRC-32 of some bytes, where the host has a quick one. */
  readonly crc32?: (bytes: Uint8Array) => number;
  /** Who this process is among all that share a checkpoint location, whether another is certainly gone, and its name for people. */
  readonly identity?: {
    readonly own: string;
    readonly isGone: (owner: string) => boolean;
    readonly describe?: (owner: string) => string;
  };
  /**
   * Puts a job's tasks on threads or processes of their own, where the host has some.
   *
   * @internal
   */
  readonly drivers?: Readonly<Record<'workers' | 'processes', (assignment: JobAssignment) => Promise<HostDriver>>>;
  /** How many bytes of memory this process may use in all; unknown when left out. */
  readonly memoryLimit?: number;
}
