import type { HostParts } from './localHost.ts';
import type { ResultStore } from './regionLedger.ts';
import type { HostListener, TaskHost } from './taskHost.ts';

/** Puts the tasks of a job somewhere. */
export interface HostDriver {
  /** Where its hosts put results of regions for those of the next attempt, once they are asked to. */
  readonly results?: ResultStore | undefined;
  /** Hosts for one attempt at running the job; rejects when one cannot be had. */
  hosts(parts: HostParts, listener: HostListener): Promise<readonly TaskHost[]>;
  /** The attempt's hosts are closed: lets go of what they stood on. */
  release?(): Promise<void>;
  /** There will be no further attempt. */
  end?(): Promise<void>;
}
