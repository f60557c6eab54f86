import { describeError, describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';

/**
 * A value as JSON on one line.
 *
 * @throws MillraceError `sink/failed` for what JSON cannot hold: a bigint, a function, `undefined`, a cycle.
 */
export function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value) as string | undefined;
  } catch (cause) {
    const big = cause instanceof TypeError && cause.message.includes('BigInt');
    const remedy = big ? 'Turn its bigints into strings or numbers with map before the sink.' : 'Map it to plain data before the sink.';
    throw new MillraceError('sink/failed', `${describeValue(value)} is no JSON: ${describeError(cause)}.`, { remedy, cause });
  }
  if (text !== undefined) return text;
  throw new MillraceError('sink/failed', `${describeValue(value)} is no JSON.`, {
    remedy: 'Filter it out, or map it to plain data before the sink.',
  });
}
