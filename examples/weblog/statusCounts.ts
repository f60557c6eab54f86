import { count, type DataStream, tumbling } from '@millrace/core';
import type { Request } from './accessLog.ts';

/** How many requests of an hour were answered with a status. */
export interface StatusCount {
  readonly type: 'status';
  /** Its beginning, in ISO 8601, UTC. */
  readonly hour: string;
  readonly status: number;
  readonly requests: number;
}

/** The statuses of every hour. */
export const statusCounts = (requests: DataStream<Request>) =>
  requests
    .keyBy(({ status }) => status)
    .window(tumbling({ hours: 1 }))
    .aggregate({ requests: count() }, { uid: 'status-counts' })
    .map(({ key, window, value }): StatusCount => ({ type: 'status', hour: new Date(window.start).toISOString(), status: key, ...value }));
