import { cellText } from './cellText.ts';

/** A record of a CSV file before a schema has seen it. */
export type TextRow = Record<string, string>;

/** Makes row objects that all have the same fields in the same order, and so the same hidden class. */
export interface RowShape {
  /** From plain ASCII cells: cell `i` ends before `ends[i]` and begins after the end of the one before it, the first at `start`. */
  readonly fromBytes: (text: string, bytes: Buffer, ends: Int32Array, start: number) => TextRow;
  /** From cells that had to be taken apart one by one. */
  readonly fromCells: (cells: readonly string[]) => TextRow;
}

/** The shape for these columns, as generated code where that is allowed. */
export function rowShape(columns: readonly string[]): RowShape {
  try {
    return generatedShape(columns);
  } catch {
    return assignedShape(columns);
  }
}

/** Rows by object literals written for these columns. */
export function generatedShape(columns: readonly string[]): RowShape {
  const literal = (cell: (index: number) => string): string =>
    `return { ${columns.map((name, index) => `${fieldName(name)}: ${cell(index)}`).join(', ')} };`;
  const fromBytes = literal((index) => `cell(text, bytes, ${index === 0 ? 'start' : `ends[${index - 1}] + 1`}, ends[${index}])`);
  const fromCells = literal((index) => `cells[${index}]`);
  // oxlint-disable-next-line typescript/no-implied-eval -- names from files are in it as JSON strings only
  const build = new Function(
    'cell',
    `return {
      fromBytes(text, bytes, ends, start) { ${fromBytes} },
      fromCells(cells) { ${fromCells} },
    };`,
  ) as (cell: typeof cellText) => RowShape;
  return build(cellText);
}

/** The same without generated code, at half the speed. */
export function assignedShape(columns: readonly string[]): RowShape {
  const make = (cell: (index: number) => string): TextRow => {
    const row: TextRow = {};
    for (let index = 0; index < columns.length; index++) {
      const name = columns[index]!;
      if (name === '__proto__')
        Object.defineProperty(row, name, { value: cell(index), enumerable: true, configurable: true, writable: true });
      else row[name] = cell(index);
    }
    return row;
  };
  return {
    fromBytes: (text, bytes, ends, start) =>
      make((index) => cellText(text, bytes, index === 0 ? start : ends[index - 1]! + 1, ends[index]!)),
    fromCells: (cells) => make((index) => cells[index]!),
  };
}

/** Names come from files: they are quoted, and `__proto__` is computed, for written plainly it would set the prototype. */
function fieldName(name: string): string {
  const quoted = JSON.stringify(name);
  return name === '__proto__' ? `[${quoted}]` : quoted;
}
