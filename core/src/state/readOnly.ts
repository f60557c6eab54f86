import { MillraceError } from '../errors/millraceError.ts';

const READS = ['value', 'get', 'has', 'entries', 'keys', 'values', 'isEmpty'] as const;
const WRITES = ['update', 'add', 'put', 'remove', 'clear'] as const;

/** The part of a state's handle that reads. */
export type ReadOnly<H> = Pick<H, Extract<keyof H, (typeof READS)[number]>>;
/** Names to read-only handles. */
export type ReadOnlyHandles<S> = { readonly [P in keyof S]: ReadOnly<S[P]> };

/**
 * A handle that reads the same state and refuses to write it, also where types do not see it.
 *
 * @throws MillraceError `state/wrong-context` on a write
 */
export function readOnly<H>(handle: H, name: string): ReadOnly<H> {
  const methods = handle as Readonly<Record<string, ((...args: unknown[]) => unknown) | undefined>>;
  const view: Record<string, (...args: unknown[]) => unknown> = {};
  for (const method of READS) if (methods[method] !== undefined) view[method] = methods[method].bind(handle);
  for (const method of WRITES) {
    if (methods[method] === undefined) continue;
    view[method] = () => {
      throw new MillraceError(
        'state/wrong-context',
        `"${name}" is broadcast state, and ${method}() writes it for an element of one subtask.`,
        {
          remedy: 'Write it in onBroadcast, where every subtask does the same.',
        },
      );
    };
  }
  return view as ReadOnly<H>;
}
