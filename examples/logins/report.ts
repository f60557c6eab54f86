import { defineSink, type Sink } from '@millrace/core';
import { type Finding, findingText } from './findings.ts';

/** Prints findings as they come, and at the end how many there were. */
export function report(): Sink<Finding> {
  return defineSink<Finding>({
    name: 'report',
    open: () => {
      const found = { burst: 0, breakin: 0 };
      return {
        write: () => undefined,
        writeOne(finding) {
          found[finding.type]++;
          console.log(findingText(finding));
        },
        prepare: async () => [],
        commit: async () => undefined,
        async close(failure) {
          if (failure === undefined) console.log(`${counted(found.burst, 'burst')}, ${counted(found.breakin, 'break-in')}.`);
        },
      };
    },
  });
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
