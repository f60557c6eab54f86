import { setTimeout as wait } from 'node:timers/promises';

/** The first and the longest wait between two attempts, in ms. Each is twice the one before, and chance takes up to half of it away. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;

/** What an object store answers, or the network in its place, when the same request may well succeed a little later. */
const PASSING = new Set([
  'ConditionalRequestConflict',
  'InternalError',
  'OperationAborted',
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
]);
const PASSING_CODES = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** The parts of an error of the client that tell what happened. */
interface ServiceFailure {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The HTTP status that an object store refused a request with; `undefined` when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as ServiceFailure | undefined)?.$metadata?.httpStatusCode;
}

/** Whether trying again may help. */
export function isPassing(error: unknown): boolean {
  const { name = '', code = '' } = error as ServiceFailure;
  const status = statusOf(error) ?? 0;
  return PASSING.has(name) || PASSING_CODES.has(code) || status === 429 || status >= 500;
}

/** Tries again, up to `attempts` times in all, as long as what goes wrong may pass. */
export async function retrying<R>(attempts: number, run: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt >= attempts || !isPassing(error)) throw error;
    }
    await wait(Math.min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT) * (1 - Math.random() / 2));
  }
}
