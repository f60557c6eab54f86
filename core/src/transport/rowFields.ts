/** The fields that all records of a batch have, in the same order. */
export interface RowFields {
  /** Their names as JSON. */
  readonly text: string;
  /** The values of each field. */
  columns(rows: readonly unknown[]): unknown[][];
}

/** Makes records of known fields. */
export interface RowMaker {
  readonly fields: readonly string[];
  rows(columns: readonly unknown[][], count: number): unknown[];
}

type Row = Readonly<Record<string, unknown>>;

/** Records with more fields are written one by one. */
const MOST_FIELDS = 64;
/** How many kinds of records this process remembers. */
const MOST_SHAPES = 1024;

/** A kind of records: reads and makes them. Generated code where the host allows it, since then all of its records have one hidden class. */
class Shape implements RowFields, RowMaker {
  readonly text: string;
  readonly fields: readonly string[];
  readonly columns: (rows: readonly unknown[]) => unknown[][];
  readonly rows: (columns: readonly unknown[][], count: number) => unknown[];

  constructor(text: string, fields: readonly string[]) {
    this.text = text;
    this.fields = fields;
    const generated = generate(fields);
    this.columns = generated?.columns ?? ((rows) => fields.map((field) => rows.map((row) => (row as Row)[field])));
    this.rows = generated?.rows ?? ((columns, count) => Array.from({ length: count }, (_, i) => rowAt(fields, columns, i)));
  }
}

const shapes = new Map<string, Shape>();
let last: Shape | undefined;

/** What the records of a batch have in common; `undefined` where they are no plain objects, or do not all have the same fields. */
export function sharedFields(rows: readonly unknown[]): RowFields | undefined {
  const [first] = rows;
  if (!isPlain(first)) return undefined;
  const shape = last !== undefined && hasFields(first, last.fields) ? last : shapeOf(Object.keys(first));
  if (shape === undefined) return undefined;
  last = shape;
  const { fields } = shape;
  for (let i = 0; i < rows.length; i++) if (!isPlain(rows[i]) || !hasFields(rows[i] as Row, fields)) return undefined;
  return shape;
}

/** The maker of records whose fields have these names, as JSON. */
export function rowMakerOf(text: string): RowMaker {
  return shapes.get(text) ?? remember(new Shape(text, JSON.parse(text) as string[]));
}

function shapeOf(fields: readonly string[]): Shape | undefined {
  if (fields.length === 0 || fields.length > MOST_FIELDS || fields.includes('__proto__')) return undefined;
  const text = JSON.stringify(fields);
  return shapes.get(text) ?? remember(new Shape(text, fields));
}

function remember(shape: Shape): Shape {
  if (shapes.size >= MOST_SHAPES) shapes.clear();
  shapes.set(shape.text, shape);
  return shape;
}

function isPlain(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

function hasFields(row: Row, fields: readonly string[]): boolean {
  let i = 0;
  for (const field in row) if (field !== fields[i++]) return false;
  return i === fields.length;
}

function rowAt(fields: readonly string[], columns: readonly unknown[][], at: number): Row {
  return Object.fromEntries(fields.map((field, i) => [field, columns[i]![at]]));
}

/** `undefined` where code generation is forbidden. */
function generate(fields: readonly string[]): Pick<Shape, 'columns' | 'rows'> | undefined {
  const names = fields.map((field) => JSON.stringify(field));
  const text = `return {
    columns(rows) {
      const count = rows.length;
      ${names.map((_, i) => `const c${i} = new Array(count);`).join(' ')}
      for (let i = 0; i < count; i++) { const row = rows[i]; ${names.map((name, i) => `c${i}[i] = row[${name}];`).join(' ')} }
      return [${names.map((_, i) => `c${i}`).join(', ')}];
    },
    rows(columns, count) {
      ${names.map((_, i) => `const c${i} = columns[${i}];`).join(' ')}
      const rows = new Array(count);
      for (let i = 0; i < count; i++) rows[i] = { ${names.map((name, i) => `${name}: c${i}[i]`).join(', ')} };
      return rows;
    },
  };`;
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the text holds no input but the names of fields, as JSON strings
    return (new Function(text) as () => Pick<Shape, 'columns' | 'rows'>)();
  } catch {
    return undefined;
  }
}
