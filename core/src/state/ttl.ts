import type { Clock } from '../time/clock.ts';
import { toPositiveMilliseconds } from '../time/duration.ts';
import { addSaturating, type Timestamp } from '../time/timestamp.ts';
import type { StateOptions, TimeToLive } from './descriptor.ts';

/** Time to live as the state classes use it: numbers and decisions already made. */
export interface Expiry {
  readonly clock: Clock;
  readonly after: number;
  readonly renewOnRead: boolean;
  readonly returnExpired: boolean;
  readonly sweep: boolean;
}

/** How state with these options expires; `undefined` when it does not. */
export function expiryOf(options: StateOptions<unknown>, clock: Clock): Expiry | undefined {
  if (options.ttl === undefined) return undefined;
  const ttl: TimeToLive = 'after' in options.ttl ? options.ttl : { after: options.ttl };
  return {
    clock,
    after: toPositiveMilliseconds(ttl.after, 'ttl'),
    renewOnRead: ttl.update === 'onReadAndWrite',
    returnExpired: ttl.visibility === 'returnExpiredIfNotCleanedUp',
    sweep: ttl.cleanup !== 'onAccess',
  };
}

/** Expired when the last renewal lies `after` or more behind; a sum beyond the end of time never expires. */
export function isExpired(expiry: Expiry, renewed: Timestamp): boolean {
  return addSaturating(renewed, expiry.after) <= expiry.clock.now();
}

/** A value and when it was renewed last: how lists and maps keep the time of each of their parts. */
export interface Timed<V> {
  readonly value: V;
  renewed: Timestamp;
}
