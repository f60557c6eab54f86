import type { WindowAssigner } from './assigner.ts';
import { type Duration, formatDuration } from './duration.ts';
import { checkElementTime } from './elementTime.ts';
import { addSaturating } from './timestamp.ts';
import { eventTimeTrigger } from './triggers/eventTime.ts';
import { processingTimeTrigger } from './triggers/processingTime.ts';
import { type WindowDomain, windowLength, windowName } from './windowOptions.ts';

/** Options of {@link session}. */
export interface SessionOptions {
  /** Default `eventTime`. */
  readonly domain?: WindowDomain;
}

/**
 * Windows that last as long as elements keep coming: one ends when nothing came for `gap`. Two elements exactly `gap` apart are
 * still of one session. The gap can depend on the element: the session then lasts until the latest `timestamp + gap` in it.
 *
 * @throws MillraceError `window/invalid` for a gap that is not positive; for a computed one when the element arrives.
 *
 * @example
 * session({ minutes: 30 });
 * session((click: { mobile: boolean }) => ({ minutes: click.mobile ? 5 : 30 }));
 */
export function session<T = unknown>(gap: Duration | ((value: T) => Duration), options: SessionOptions = {}): WindowAssigner<T> {
  const domain = options.domain ?? 'eventTime';
  if (typeof gap === 'function')
    return sessions('session of a gap per element', domain, (value) => windowLength(gap(value), 'session gap'));
  const length = windowLength(gap, 'session gap');
  return sessions(`session ${formatDuration(length)}`, domain, () => length);
}

function sessions<T>(name: string, domain: WindowDomain, gap: (value: T) => number): WindowAssigner<T> {
  const byEventTime = domain === 'eventTime';
  return {
    name: windowName(name, domain),
    domain,
    merging: true,
    trigger: byEventTime ? eventTimeTrigger() : processingTimeTrigger(),
    assign(value, timestamp, now) {
      if (byEventTime) checkElementTime(timestamp, name);
      const start = byEventTime ? timestamp : now;
      return [{ start, end: addSaturating(start, gap(value)) }];
    },
  };
}
