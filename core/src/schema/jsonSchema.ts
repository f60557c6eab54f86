import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';

/** What a field takes. `json` is anything that has no single word on a command line: objects, lists of lists. */
export type FieldType = 'string' | 'number' | 'integer' | 'boolean' | 'enum' | 'json';

/** One top-level field of what a schema takes in. */
export interface SchemaField {
  readonly name: string;
  /** The type of the field, or of its items if it is an array. */
  readonly type: FieldType;
  /** What an `enum` can be. */
  readonly choices?: readonly (string | number | boolean)[];
  readonly array: boolean;
  readonly required: boolean;
  readonly default?: unknown;
  readonly description?: string;
}

/**
 * Lists the fields that a schema takes in, if it offers Standard JSON Schema (`~standard.jsonSchema`): command-line flags come from it.
 * `undefined` if the schema does not offer it, or takes no object with a fixed list of fields (a union, a record).
 *
 * @throws MillraceError `schema/invalid` if the schema offers JSON Schema and then fails to give it.
 * @example
 * schemaFields(z.object({ days: z.coerce.number().default(183).describe('how long') }));
 * // [{ name: 'days', type: 'number', array: false, required: false, default: 183, description: 'how long' }]
 */
export function schemaFields(schema: StandardSchemaV1): readonly SchemaField[] | undefined {
  const standard: Partial<StandardJSONSchemaV1.Props> & { readonly vendor: string } = schema['~standard'];
  if (standard.jsonSchema === undefined) return undefined;
  const root = convert(standard.jsonSchema, standard.vendor);
  const shape = resolve(root, root);
  const properties = asNode(shape['properties']);
  if (properties === undefined) return undefined;
  const required = Array.isArray(shape['required']) ? (shape['required'] as unknown[]) : [];
  return Object.entries(properties).map(([name, node]) => field(name, asNode(node) ?? {}, required.includes(name), root));
}

/** A node of a JSON Schema. */
type Node = Readonly<Record<string, unknown>>;

function convert(converter: StandardJSONSchemaV1.Converter, vendor: string): Node {
  // zod refuses to describe a Date, though as a flag it is text like others; with `any` it leaves the type open.
  const options = vendor === 'zod' ? { libraryOptions: { unrepresentable: 'any' } } : {};
  let problem: unknown;
  for (const target of ['draft-2020-12', 'draft-07']) {
    try {
      return converter.input({ target, ...options });
    } catch (error) {
      problem ??= error;
    }
  }
  throw new MillraceError('schema/invalid', `The ${vendor} schema gives no JSON Schema: ${describeError(problem)}.`, {
    remedy: 'Use types that JSON can hold, or fill the config from a file.',
    cause: problem,
  });
}

function field(name: string, node: Node, required: boolean, root: Node): SchemaField {
  const outer = resolve(node, root);
  const items = asNode(outer['items']);
  const array = outer['type'] === 'array' && items !== undefined;
  const content = array ? resolve(items, root) : outer;
  const choices = choicesOf(content);
  const fallback = node['default'] ?? outer['default'];
  const description = node['description'] ?? outer['description'];
  return {
    name,
    type: choices !== undefined ? 'enum' : typeOf(content),
    ...(choices !== undefined ? { choices } : {}),
    array,
    required: required && fallback === undefined,
    ...(fallback !== undefined ? { default: fallback } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  };
}

function choicesOf(node: Node): readonly (string | number | boolean)[] | undefined {
  const alternatives = alternativesOf(node);
  const values = Array.isArray(node['enum'])
    ? (node['enum'] as unknown[])
    : 'const' in node
      ? [node['const']]
      : alternatives?.map((one) => one['const']);
  if (values === undefined || !values.every(isScalar)) return undefined;
  return values;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function typeOf(node: Node): FieldType {
  const { type } = node;
  if (isFlagType(type)) return type;
  if (type === 'object' || type === 'array') return 'json';
  const alternatives = Array.isArray(type) ? (type as unknown[]).map((one) => ({ type: one })) : alternativesOf(node);
  // A node that says nothing takes anything, and what a command line has is text.
  if (alternatives === undefined) return 'string';
  const types = new Set(alternatives.filter((one) => one['type'] !== 'null').map(typeOf));
  const [only] = types;
  if (types.size === 1 && only !== undefined) return only;
  return types.has('string') ? 'string' : 'json';
}

function isFlagType(type: unknown): type is 'string' | 'number' | 'integer' | 'boolean' {
  return type === 'string' || type === 'number' || type === 'integer' || type === 'boolean';
}

function alternativesOf(node: Node): readonly Node[] | undefined {
  const listed = node['anyOf'] ?? node['oneOf'];
  return Array.isArray(listed) ? nodes(listed) : undefined;
}

/** Follows `$ref`, merges `allOf`, and looks through `anyOf: [x, null]`. */
function resolve(node: Node, root: Node, depth = 0): Node {
  // A schema can refer to itself; past any sensible depth its fields are taken as they stand.
  if (depth > MAX_DEPTH) return node;
  const reference = node['$ref'];
  if (typeof reference === 'string' && reference.startsWith('#'))
    return resolve({ ...find(reference, root), ...without(node, '$ref') }, root, depth + 1);
  const parts = node['allOf'];
  if (Array.isArray(parts)) {
    const merged = nodes(parts).reduce<Node>((all, part) => merge(all, resolve(part, root, depth + 1)), without(node, 'allOf'));
    return resolve(merged, root, depth + 1);
  }
  const alternatives = alternativesOf(node)?.filter((one) => one['type'] !== 'null');
  if (alternatives?.length === 1) return resolve({ ...alternatives[0], ...without(without(node, 'anyOf'), 'oneOf') }, root, depth + 1);
  return node;
}

const MAX_DEPTH = 32;

function merge(a: Node, b: Node): Node {
  const properties = nodes([a['properties'], b['properties']]);
  if (properties.length === 0) return { ...a, ...b };
  const required = [a, b].flatMap((node) => (Array.isArray(node['required']) ? (node['required'] as unknown[]) : []));
  return { ...a, ...b, properties: Object.assign({}, ...properties) as Node, required };
}

function without(node: Node, key: string): Node {
  const { [key]: _, ...rest } = node;
  return rest;
}

function find(reference: string, root: Node): Node {
  let node: Node | undefined = root;
  for (const part of reference.split('/').slice(1)) node = asNode(node?.[part.replaceAll('~1', '/').replaceAll('~0', '~')]);
  return node ?? {};
}

function nodes(values: readonly unknown[]): readonly Node[] {
  return values.map(asNode).filter((node) => node !== undefined);
}

function asNode(value: unknown): Node | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : undefined;
}
