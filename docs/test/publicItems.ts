import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { root } from './modules.ts';

/** The entries of the packages, by what users import. */
export const ENTRIES: Readonly<Record<string, string>> = {
  '@millrace/core': 'core/src/index.ts',
  '@millrace/core/node': 'core/src/node.ts',
  '@millrace/core/testing': 'core/src/testing.ts',
  '@millrace/core/sqlite': 'core/src/sqlite.ts',
  '@millrace/core/postgres': 'core/src/postgres.ts',
  '@millrace/cep': 'cep/src/index.ts',
  '@millrace/cep/statechart': 'cep/src/statechart.ts',
  '@millrace/cep/testing': 'cep/src/testing.ts',
};

/** An `@example` of a doc comment. */
export interface Example {
  readonly code: string;
  /** Of its first line of code, in the source; counts from 1. */
  readonly line: number;
}

/** Something that users can see: an export, or a method of an exported class. */
export interface PublicItem {
  /** Such as `tumbling` or `DataStream.map`. */
  readonly name: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly line: number;
  /** Values have to show how they are used; types are shown by what takes them. */
  readonly isCallable: boolean;
  readonly isDocumented: boolean;
  readonly examples: readonly Example[];
}

/** An exported name and how it is imported. */
export interface ExportedName {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** What the entries export. */
export interface PublicSurface {
  readonly items: readonly PublicItem[];
  readonly names: ReadonlyMap<string, ExportedName>;
}

/** Reads the exports of all entries with their doc comments. */
export function publicSurface(): PublicSurface {
  const paths = Object.values(ENTRIES).map((path) => join(root, path));
  const { config } = ts.readConfigFile(join(root, 'docs', 'tsconfig.typedoc.json'), (path) => readFileSync(path, 'utf8'));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'docs'));
  const program = ts.createProgram(paths, options);
  const checker = program.getTypeChecker();
  const names = new Map<string, ExportedName>();
  const items = new Map<ts.Symbol, readonly PublicItem[]>();
  for (const [specifier, path] of Object.entries(ENTRIES)) {
    const entry = checker.getSymbolAtLocation(program.getSourceFile(join(root, path))!)!;
    for (const exported of checker.getExportsOfModule(entry)) {
      const symbol = (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
      names.set(exported.name, { specifier, typeOnly: isTypeOnly(exported, symbol) });
      if (!items.has(symbol)) items.set(symbol, itemsOf(exported.name, symbol));
    }
  }
  return { items: [...items.values()].flat(), names };
}

function isTypeOnly(exported: ts.Symbol, symbol: ts.Symbol): boolean {
  const declaredSo = exported.declarations?.some(
    (node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly),
  );
  return declaredSo === true || (symbol.flags & ts.SymbolFlags.Value) === 0;
}

function itemsOf(name: string, symbol: ts.Symbol): readonly PublicItem[] {
  const declarations = symbol.declarations!;
  const isClass = declarations.some(ts.isClassDeclaration);
  // What a class is good for its methods show, where it is not made with `new` by users.
  const isCallable = declarations.some(ts.isFunctionDeclaration);
  const methods = isClass ? [...symbol.members!.values()].filter(isPublicMethod) : [];
  return [
    itemOf(name, declarations, isCallable),
    ...methods.map((method) => itemOf(`${name}.${methodName(method)}`, method.declarations!, true)),
  ];
}

function isPublicMethod({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some((node) => {
    if (!ts.isMethodDeclaration(node) || ts.isPrivateIdentifier(node.name)) return false;
    const hidden = ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
    return hidden === 0 && ts.getJSDocTags(node).every(({ tagName }) => tagName.text !== 'internal');
  });
}

function methodName({ name }: ts.Symbol): string {
  return name.startsWith('__@') ? `[Symbol.${name.slice(3, name.indexOf('@', 3))}]` : name;
}

function itemOf(name: string, declarations: readonly ts.Declaration[], isCallable: boolean): PublicItem {
  const [first] = declarations as readonly [ts.Declaration];
  const source = first.getSourceFile();
  const comments = declarations.flatMap((node) => ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc));
  return {
    name,
    file: relative(root, source.fileName),
    line: source.getLineAndCharacterOfPosition(first.getStart()).line + 1,
    isCallable,
    isDocumented: comments.some((comment) => comment.comment !== undefined),
    examples: comments.flatMap((comment) => examplesOf(comment, source)),
  };
}

/** The examples of a comment as they stand in the source, without the stars before them. */
function examplesOf(comment: ts.JSDoc, source: ts.SourceFile): readonly Example[] {
  const text = comment.getText(source);
  const start = source.getLineAndCharacterOfPosition(comment.getStart(source)).line + 1;
  const lines = text
    .replace(/\s*\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
  return lines.flatMap((line, at): Example[] => {
    if (line.trim() !== '@example') return [];
    const length = lines.slice(at + 1).findIndex((each) => /^@\w+/.test(each));
    const code = lines.slice(at + 1, length < 0 ? undefined : at + 1 + length);
    return [{ code: code.join('\n').trimEnd(), line: start + at + 1 }];
  });
}
