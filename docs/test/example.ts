import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { scratch } from './modules.ts';
import type { Example, ExportedName, PublicItem } from './publicItems.ts';

/** Names that examples may use beside those of the packages. */
const OTHERS: ReadonlyMap<string, ExportedName> = new Map([
  ['z', { specifier: 'zod', typeOnly: false }],
  ['writeFile', { specifier: 'node:fs/promises', typeOnly: false }],
  ['readFile', { specifier: 'node:fs/promises', typeOnly: false }],
  ['setup', { specifier: 'xstate', typeOnly: false }],
  ['emit', { specifier: 'xstate', typeOnly: false }],
]);

/** An example as a module of its own. */
export interface ExampleModule {
  /** For people: what it is of and where it stands. */
  readonly name: string;
  readonly path: string;
  /** What it says that it prints: the comments behind what prints, in order. Other examples print nothing. */
  readonly output: string;
}

/** Where the modules are, and where they run. */
export const folder: string = join(scratch, 'examples');

/** Writes an example as a module. What it uses is imported, and `env` is a fresh environment unless it makes one; lines keep their numbers. */
export function writeModule({ name, file }: PublicItem, { code, line }: Example, names: ReadonlyMap<string, ExportedName>): ExampleModule {
  const path = join(folder, file.replaceAll('/', '.'), `line-${line}.ts`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${preambleOf(code, names)}${'\n'.repeat(line)}${code}\n`);
  return { name: `${name} (${file}:${line})`, path, output: printedBy(code) };
}

function printedBy(code: string): string {
  if (!/console\.log\(|\bprint\(|Sink\('-'/.test(code)) return '';
  const comments = code.split('\n').map((line) => /(?:^|\s)\/\/(?: (.*))?$/.exec(line));
  return comments.flatMap((found) => (found === null ? [] : [found[1] ?? ''])).join('\n');
}

function preambleOf(code: string, names: ReadonlyMap<string, ExportedName>): string {
  const bySpecifier = new Map<string, string[]>();
  const used = freeNames(code);
  const usesEnv = used.includes('env');
  for (const name of new Set([...used, ...(usesEnv ? ['StreamEnvironment'] : [])])) {
    const known = names.get(name) ?? OTHERS.get(name);
    if (known === undefined) continue;
    const { specifier, typeOnly } = known;
    bySpecifier.set(specifier, [...(bySpecifier.get(specifier) ?? []), typeOnly ? `type ${name}` : name]);
  }
  const imports = [...bySpecifier].map(([specifier, imported]) => `import { ${imported.join(', ')} } from '${specifier}'; `).join('');
  return `${imports}${usesEnv ? 'const env = new StreamEnvironment();' : 'export {};'}`;
}

/** The names that a text refers to and does not declare. */
function freeNames(code: string): readonly string[] {
  const used = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      if (isDeclaration(node)) declared.add(node.text);
      else if (!isMemberName(node)) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('example.ts', code, ts.ScriptTarget.Latest, true));
  return [...used].filter((name) => !declared.has(name));
}

function isDeclaration(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isBindingElement(parent) || ts.isVariableDeclaration(parent) || ts.isParameter(parent)) return parent.name === node;
  const declares =
    ts.isFunctionDeclaration(parent) ||
    ts.isClassDeclaration(parent) ||
    ts.isInterfaceDeclaration(parent) ||
    ts.isTypeAliasDeclaration(parent);
  return declares && parent.name === node;
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  const isMember =
    ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isPropertySignature(parent) || ts.isGetAccessor(parent);
  return isMember && parent.name === node;
}
