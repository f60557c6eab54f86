import { type DataStream, sum, tumbling } from '@millrace/core';
import type { Attempt } from './attempts.ts';
import { type Burst, ENOUGH_FAILURES } from './findings.ts';

/** Brute force: at least five failed passwords from an address in ten minutes by the clock (12:00 to 12:10, UTC). */
export const bursts = (attempts: DataStream<Attempt>) =>
  attempts
    .filter(({ succeeded }) => !succeeded)
    .keyBy(({ address }) => address)
    .window(tumbling({ minutes: 10 }))
    .aggregate({ failures: sum(({ times }) => times) }, { uid: 'bursts' })
    .filter(({ value }) => value.failures >= ENOUGH_FAILURES)
    .map(({ key, window, value }): Burst => ({ type: 'burst', address: key, start: new Date(window.start).toISOString(), ...value }));
