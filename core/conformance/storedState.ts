import type { StateEntry } from '../src/state/backend.ts';
import { decodeSelfContained } from '../src/state/selfContained.ts';
import type { Snapshot } from '../src/testing.ts';

interface StoredLink {
  readonly uid: string;
  readonly keyed: readonly StateEntry[];
  readonly own: readonly StateEntry[];
}

/** The keyed state that a harness's snapshot holds of the operator with a uid. */
export function storedState({ bytes }: Snapshot, uid: string): readonly StateEntry[] {
  const tasks = decodeSelfContained(bytes) as readonly { readonly links: readonly StoredLink[] }[];
  return tasks.flatMap(({ links }) => links.filter((link) => link.uid === uid)).flatMap(({ keyed, own }) => [...keyed, ...own]);
}
