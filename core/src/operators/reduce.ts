import { valueState } from '../state/descriptor.ts';
import { plainCellOf } from '../state/valueHandles.ts';
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
      const cell = plainCellOf(reduced);
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
        ...(cell !== undefined && { inline: (site: CodeSite) => writeReduce(site, cell, fn, rolling) }),
        onKeyEnd: () => context.emit(reduced.value(), MAX_TIMESTAMP),
      };
    },
  };
}

function writeReduce(site: CodeSite, cell: unknown, fn: unknown, rolling: boolean): void {
  const reduced = site.bind(cell, 'reduced');
  const slot = site.evaluate(`${reduced}.slotOf(${site.key})`);
  const before = site.evaluate(`${reduced}.read(${slot})`);
  const after = site.evaluate(`${before} === undefined ? ${site.value} : ${site.bind(fn, 'reduce')}(${before}, ${site.value})`);
  site.statement(`${reduced}.write(${slot}, ${after});`);
  if (rolling) site.emit(after);
}
