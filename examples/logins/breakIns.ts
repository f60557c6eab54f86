import { detect, pattern } from '@millrace/cep';
import type { DataStream } from '@millrace/core';
import type { Attempt } from './attempts.ts';
import { type BreakIn, ENOUGH_FAILURES } from './findings.ts';

/** Failed passwords, all of them, and then a success: of 600 seconds, both ends included. */
const guessed = pattern<Attempt>()
  .begin('failures')
  .where((attempt) => !attempt.succeeded)
  .oneOrMore()
  .greedy()
  .followedByAny('success')
  .where((attempt) => attempt.succeeded)
  .within({ seconds: 600, milliseconds: 1 });

/**
 * Guessed passwords: a success with at least five failed passwords from the same address in the 600 seconds before it. Within a second the
 * order of the lines decides: what failed after the success does not count.
 *
 * Attempts are looked at in the order of their times, when the watermark has reached them, so that failures whose lines come a little late
 * are not missed. Of all matches that a success completes, the first is the longest: the one with every failure in it.
 */
export const breakIns = (attempts: DataStream<Attempt>) =>
  attempts
    .keyBy(({ address }) => address)
    .pipe(
      detect(
        guessed,
        ({ failures, success: [{ address, user, at }] }): BreakIn => ({
          type: 'breakin',
          address,
          user,
          at: new Date(at).toISOString(),
          failures: failures.reduce((sum, { times }) => sum + times, 0),
        }),
        { uid: 'break-ins', emit: 'first' },
      ),
    )
    .filter(({ failures }) => failures >= ENOUGH_FAILURES);
