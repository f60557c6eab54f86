import { valueState } from '../state/descriptor.ts';
import { MAX_TIMESTAMP } from '../time/timestamp.ts';
import type { CodeSite } from './codeSite.ts';
import type { OperatorDefinition } from './operator.ts';

/**
 * Folds each element into its key's value and emits it: every time while streaming, the last one at the key's end in batch mode.
 * `fn` must be associative.
 */
export function reduceOperator(fn: (a: never, b: never) => unknown): OperatorDefinition {
  return {
    create: (context) => {
      const reduced = context.subtask.backend.open('reduced', valueState<unknown>());
      const rolling = context.subtask.emission === 'rolling';
      const fold = (value: unknown): unknown => {
        const before = reduced.value();
        const after = before === undefined ? value : fn(before as never, value as never);
        reduced.update(after);
        return after;
      };
      return {
        ignoresTime: true,
        inputs: [
          (value) => {
            const after = fold(value);
            if (rolling) context.emit(after, context.time);
          },
        ],
        inline: (site) => writeReduce(site, reduced, fn, rolling),
        onKeyEnd: () => context.emit(reduced.value(), MAX_TIMESTAMP),
      };
    },
  };
}

function writeReduce(site: CodeSite, state: unknown, fn: unknown, rolling: boolean): void {
  const reduced = site.bind(state, 'reduced');
  const before = site.evaluate(`${reduced}.value()`);
  const after = site.evaluate(`${before} === undefined ? ${site.value} : ${site.bind(fn, 'reduce')}(${before}, ${site.value})`);
  site.statement(`${reduced}.update(${after});`);
  if (rolling) site.emit(after);
}
