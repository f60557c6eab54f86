import type { HostParts } from './localHost.ts';
import type { HostListener, TaskHost } from './taskHost.ts';

/** Puts the tasks of a job somewhere. */
export interface HostDriver {
  /** Hosts for one attempt at running the job; rejects when one cannot be had. */
  hosts(parts: HostParts, listener: HostListener): Promise<readonly TaskHost[]>;
  /** The attempt's hosts are closed: lets go of what they stood on. */
  release?(): Promise<void>;
}
