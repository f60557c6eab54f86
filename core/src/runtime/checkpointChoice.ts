import type { CheckpointReader } from '../checkpoint/restore.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { Logger } from '../operators/logger.ts';
import type { Checkpointing, RestoreSettings } from './checkpointing.ts';

/**
 * What a job goes on from, as it was told; says so. `undefined`: it starts fresh.
 *
 * @throws MillraceError `checkpoint/not-found` where a place was named and there is nothing; as `Checkpointing.latest` does.
 */
export async function chooseCheckpoint(
  checkpointing: Checkpointing,
  restore: RestoreSettings,
  { job, uids, logger }: { readonly job: string; readonly uids: readonly string[]; readonly logger: Logger },
): Promise<CheckpointReader | undefined> {
  const reader = await checkpointing.latest(restore, uids);
  if (reader !== undefined) {
    const { manifest } = reader;
    if (manifest.job !== job) logger.warn(`The job "${job}" takes over the state of "${manifest.job}".`);
    const done = (await reader.isFinished()) ? ' It had finished: there is nothing left to do.' : '';
    logger.info(`The job "${job}" goes on from ${manifest.kind} ${manifest.checkpoint}.${done}`, { status: 'restored' });
    return reader;
  }
  if (restore.storage !== undefined) {
    throw new MillraceError('checkpoint/not-found', `There is no checkpoint in ${restore.storage.location}.`, {
      remedy: 'Look at the path: it is that of a savepoint or of a checkpoint location.',
    });
  }
  logger.warn(`There is no checkpoint to go on from: the job "${job}" starts fresh.`);
  return undefined;
}
