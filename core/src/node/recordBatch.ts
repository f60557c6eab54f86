import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ErrorCode } from '../errors/codes.ts';
import type { Rejected, SourceBatch } from '../operators/connector.ts';
import { type Checked, type Checker, checkerOf, describeIssues, isPromised, settle } from '../schema/standard.ts';
import type { FilePosition } from './filePosition.ts';

/** Few enough that a batch takes a few milliseconds at most, many enough that the engine's work per batch does not count. */
const ROWS = 2_000;

/** What parsers fill: the records of the next batch, and what was not taken in. */
export class RecordBatch<T> {
  readonly #file: string;
  readonly #schema: StandardSchemaV1 | undefined;
  readonly #check: Checker<unknown> | undefined;
  #values: T[] = [];
  #rejected: Rejected[] = [];
  #promised: { readonly answer: Promise<Checked<unknown>>; readonly line: number; readonly value: unknown }[] = [];

  readonly #rows: number;

  /** `file` is the name in the places of rejected records. Without a schema records are taken as they are. */
  constructor(file: string, schema: StandardSchemaV1 | undefined, rows: number = ROWS) {
    this.#file = file;
    this.#rows = rows;
    this.#schema = schema;
    this.#check = schema === undefined ? undefined : checkerOf(schema);
  }

  get full(): boolean {
    return this.#values.length + this.#rejected.length + this.#promised.length >= this.#rows;
  }

  get empty(): boolean {
    return this.#values.length + this.#rejected.length + this.#promised.length === 0;
  }

  /** Takes a record in, if the schema does. */
  add(record: unknown, line: number): void {
    if (this.#check === undefined) {
      this.#values.push(record as T);
      return;
    }
    const result = this.#check(record);
    if (isPromised(result)) this.#promise(result, line, record);
    else if (result.issues === undefined) this.#values.push(result.value as T);
    else this.#object(result.issues, line, record);
  }

  /** Puts something aside that is no record. */
  reject(code: ErrorCode, reason: string, line: number, value: unknown): void {
    this.#rejected.push({ place: `${this.#file}:${line}`, code, reason, value });
  }

  /**
   * Everything since the last call.
   *
   * @throws MillraceError `schema/async` if the schema answered with a promise and kept it.
   */
  async take(position: FilePosition, bytes: number): Promise<SourceBatch<T, FilePosition>> {
    // Some libraries answer with a promise when a check throws, so only the promise tells whether the schema is asynchronous.
    for (const { answer, line, value } of this.#promised) this.#object((await settle(answer, this.#schema!)).issues, line, value);
    const values = this.#values;
    const rejected = this.#rejected;
    this.#values = [];
    this.#rejected = [];
    this.#promised = [];
    return rejected.length === 0 ? { values, position, bytes } : { values, position, rejected, bytes };
  }

  #promise(answer: Promise<Checked<unknown>>, line: number, value: unknown): void {
    // It is awaited at the end of the batch; until then its rejection must not count as unhandled.
    answer.then(undefined, () => undefined);
    this.#promised.push({ answer, line, value });
  }

  #object(issues: readonly StandardSchemaV1.Issue[], line: number, value: unknown): void {
    this.#rejected.push({ place: `${this.#file}:${line}`, code: 'schema/invalid', reason: describeIssues(issues), issues, value });
  }
}
