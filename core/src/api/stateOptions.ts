import { MillraceError } from '../errors/millraceError.ts';
import type { Platform } from '../runtime/platform.ts';
import type { StateSettings } from '../runtime/stateSpace.ts';

/**
 * Where keyed state lives. Checkpoints are the same either way, so a job may change it between two runs. On disk, keys that are asked for
 * stay in memory as long as there is room; the package `classic-level` must be installed.
 */
export type StateBackendOptions =
  | { readonly backend: 'memory' }
  | {
      readonly backend: 'disk';
      /** Where a directory for temporary data is made: on a local disk. Default: the system's temporary directory. */
      readonly directory?: string;
      /** About how many bytes of memory the keys in memory may take, in each thread that runs tasks. Default: a quarter of the memory limit. */
      readonly cacheBytes?: number;
    };

const SHARE = 0.25;
/** The memory limit where it is not known. */
const ASSUMED_LIMIT = 2 ** 30;

/** Fills in defaults and checks; `undefined` for state in memory. */
export function stateSettings(
  options: StateBackendOptions | undefined,
  { memoryLimit = ASSUMED_LIMIT }: Platform,
): StateSettings | undefined {
  if (options === undefined || options.backend === 'memory') return undefined;
  const { directory, cacheBytes = Math.floor(memoryLimit * SHARE) } = options;
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) {
    throw new MillraceError('graph/option', `state.cacheBytes is ${cacheBytes}.`, { remedy: 'Give a whole number of bytes.' });
  }
  return { directory, cacheBytes };
}
