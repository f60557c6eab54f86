import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describeError, describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';

/** What a schema answered: the value, or what it has against it. The schema's own object, nothing is added to it. */
export type Checked<T> = StandardSchemaV1.Result<T>;

/** Checks a value. Never throws on account of the value: a check that throws is an issue like another. */
export type Checker<T> = (value: unknown) => Checked<T> | Promise<Checked<T>>;

/** Checks a value at once. */
export type Validator<T> = (value: unknown) => Checked<T>;

/**
 * Makes a function of a Standard Schema. What it returns may be a promise: that a schema is asynchronous shows on a record only, and
 * some libraries (zod) answer with a promise when a transform throws. A reader that can wait asks {@link settle} which of the two it was.
 *
 * @throws MillraceError `schema/invalid` if `schema` is no Standard Schema, `schema/async` if its `validate` is an async function.
 */
export function checkerOf<S extends StandardSchemaV1>(schema: S): Checker<StandardSchemaV1.InferOutput<S>> {
  const standard = standardOf(schema);
  return (value) => {
    try {
      return standard.validate(value) as Checked<StandardSchemaV1.InferOutput<S>> | Promise<Checked<StandardSchemaV1.InferOutput<S>>>;
    } catch (error) {
      return thrown(error);
    }
  };
}

/**
 * Makes a synchronous validator of a Standard Schema (zod, valibot and arktype schemas are some). It allocates nothing beside what the
 * schema does.
 *
 * @throws MillraceError `schema/invalid` if `schema` is no Standard Schema; `schema/async`, also on a record, if it answers with a promise.
 * @example
 * const validate = compileSchema(z.object({ id: z.string() }));
 * const result = validate({ id: 7 });
 * if (result.issues !== undefined) console.log(describeIssues(result.issues)); // id: Invalid input: expected string, received number
 */
export function compileSchema<S extends StandardSchemaV1>(schema: S): Validator<StandardSchemaV1.InferOutput<S>> {
  const check = checkerOf(schema);
  const { vendor } = schema['~standard'];
  return (value) => {
    const result = check(value);
    if (isPromised(result)) {
      // Nobody will await it, and a rejection that nobody handles ends the process.
      result.then(undefined, () => undefined);
      throw asynchronous(vendor, 'it answered with a promise, so it is asynchronous or one of its checks threw');
    }
    return result;
  };
}

/** Whether a checker's answer is still to come. */
export function isPromised<T>(result: Checked<T> | Promise<Checked<T>>): result is Promise<Checked<T>> {
  return typeof (result as { readonly then?: unknown }).then === 'function';
}

/**
 * Finds out what a promise for an answer meant. A check that threw rejects it: then the value has an issue like another.
 *
 * @throws MillraceError `schema/async` if it is fulfilled, for then the schema is asynchronous.
 */
export async function settle(promise: Promise<Checked<unknown>>, schema: StandardSchemaV1): Promise<StandardSchemaV1.FailureResult> {
  try {
    await promise;
  } catch (error) {
    return thrown(error);
  }
  throw asynchronous(schema['~standard'].vendor, 'it answered with a promise');
}

/** All of a schema's objections in one line: `items[0].price: expected number; id: too short`. */
export function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues.map(describeIssue).join('; ');
}

function describeIssue(issue: StandardSchemaV1.Issue): string {
  const { path } = issue;
  if (path === undefined || path.length === 0) return issue.message;
  let place = '';
  for (const segment of path) {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'number') place += `[${key}]`;
    else place += place === '' ? String(key) : `.${String(key)}`;
  }
  return `${place}: ${issue.message}`;
}

function standardOf(schema: StandardSchemaV1): StandardSchemaV1.Props {
  const candidate: unknown = schema;
  const carrier = (typeof candidate === 'object' && candidate !== null) || typeof candidate === 'function' ? candidate : {};
  const standard = (carrier as Partial<StandardSchemaV1>)['~standard'];
  if (typeof standard?.validate !== 'function') {
    throw new MillraceError('schema/invalid', `${describeValue(candidate)} is no Standard Schema.`, {
      remedy: 'Give a schema of zod, valibot, arktype or another library that has "~standard".',
    });
  }
  if (standard.validate.constructor.name === 'AsyncFunction') throw asynchronous(standard.vendor, 'its validate is an async function');
  return standard;
}

function thrown(error: unknown): StandardSchemaV1.FailureResult {
  return { issues: [{ message: `a check of the schema threw: ${describeError(error)}` }] };
}

function asynchronous(vendor: string, how: string): MillraceError {
  return new MillraceError('schema/async', `The ${vendor} schema cannot be used here: ${how}.`, {
    remedy: 'Use synchronous checks and transforms only, and look things up with asyncMap after the source.',
  });
}
