import { defineSink, type Sink } from '../operators/connector.ts';
import { flushPrinted, printText } from './consoleOutput.ts';
import { valueText } from './valueText.ts';

const encoder = new TextEncoder();

/** Options of {@link print}. */
export interface PrintOptions {
  /** Stands before each element, as `label> `. */
  readonly label?: string;
}

/**
 * Prints each element on the console, a line each: strings as they are, objects with their fields, in full. With several subtasks each
 * line says which one it is from (`label:2> `). When the job has ended, everything has left the process. Elements are shown as they are,
 * with their values.
 *
 * @example
 * env.from(fromArray([{ user: 'ann', logins: 3 }])).sinkTo(print({ label: 'logins' }));
 * await env.execute('logins'); // logins> { user: 'ann', logins: 3 }
 */
export function print(options: PrintOptions = {}): Sink<unknown> {
  const { label } = options;
  return defineSink<unknown>({
    name: label === undefined ? 'print' : `print ${label}`,
    open: ({ subtask, parallelism, wrote }) => {
      const names = [...(label === undefined ? [] : [label]), ...(parallelism === 1 ? [] : [subtask + 1])];
      const before = names.length === 0 ? '' : `${names.join(':')}> `;
      return {
        write(values) {
          if (values.length === 0) return;
          const text = values.map((value) => before + valueText(value)).join('\n');
          wrote(encoder.encode(text).length + 1);
          return printText(text);
        },
        prepare: async () => {
          await flushPrinted();
          return [];
        },
        commit: async () => undefined,
      };
    },
  });
}
