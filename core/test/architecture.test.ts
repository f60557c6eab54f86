import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as core from '../src/index.ts';
import * as node from '../src/node.ts';
import * as postgres from '../src/postgres.ts';
import * as sqlite from '../src/sqlite.ts';
import * as testing from '../src/testing.ts';

const source = fileURLToPath(new URL('../src', import.meta.url));

/** Each layer may import those before it, and itself. Layers of one entry know nothing of each other. */
const LAYERS: readonly (readonly string[])[] = [
  ['errors', 'element', 'schema'],
  ['time'],
  ['state'],
  ['transport'],
  ['operators'],
  ['graph', 'connectors'],
  ['checkpoint'],
  ['runtime'],
  ['api'],
  ['node', 'cli', 'testing'],
  ['(entries)'],
];
/** What an entry of one layer may import of its own layer, beside itself. */
const NEIGHBOURS: Readonly<Record<string, readonly string[]>> = { schema: ['errors'], element: [], testing: ['connectors'], cli: ['node'] };

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)].map(
    ([, typeOnly, specifier]) => ({
      file,
      from: layerOf(file),
      to: specifier!.startsWith('.') ? layerOf(relative(source, resolve(source, dirname(file), specifier!))) : '',
      specifier: specifier!,
      typeOnly: typeOnly !== undefined,
    }),
  );
});

function layerOf(file: string): string {
  const [folder, rest] = file.split('/');
  return rest === undefined ? '(entries)' : folder!;
}

function rank(layer: string): number {
  return LAYERS.findIndex((layers) => layers.includes(layer));
}

describe('architecture', () => {
  test('every folder is a layer', () => {
    expect([...new Set(files.map(layerOf))].filter((layer) => rank(layer) < 0)).toEqual([]);
  });

  test('a layer imports only what stands to its left', () => {
    const wrong = imports.filter(
      ({ from, to }) => to !== '' && to !== from && rank(to) >= rank(from) && !(NEIGHBOURS[from] ?? []).includes(to),
    );
    // What flows on an edge carries timestamps, and time is told in them: types only.
    const allowed = wrong.filter(({ from, to, typeOnly }) => from === 'element' && to === 'time' && typeOnly);
    expect(wrong.filter((each) => !allowed.includes(each)).map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  test('of the api only the environment touches the runtime', () => {
    const touching = imports.filter(({ from, to, typeOnly }) => from === 'api' && to === 'runtime' && !typeOnly).map(({ file }) => file);
    expect([...new Set(touching)]).toEqual(['api/environment.ts']);
  });

  test('only node/ and cli/ import node:', () => {
    expect(
      imports.filter(({ specifier, from }) => specifier.startsWith('node:') && from !== 'node' && from !== 'cli').map(({ file }) => file),
    ).toEqual([]);
  });

  test('the root entry is platform-free: nothing that it reaches imports node: but through #platform', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const each of imports) {
        if (each.file !== file || !each.specifier.startsWith('.') || each.typeOnly) continue;
        visit(relative(source, resolve(source, dirname(file), each.specifier)));
      }
    };
    visit('index.ts');
    expect([...reached].filter((file) => /^(node|cli|testing)\//.test(file))).toEqual([]);
  });

  test('operators and state know no clock but the one they are given', () => {
    const allowed = new Set(['time/systemClock.ts', 'time/timestamp.ts', 'time/calendar.ts']);
    const forbidden = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(|\bperformance\.now\(/;
    const guilty = files.filter(
      (file) => !/^(node|cli|testing)\//.test(file) && !allowed.has(file) && forbidden.test(readFileSync(join(source, file), 'utf8')),
    );
    expect(guilty).toEqual([]);
  });

  test('modules do not import each other in a circle', () => {
    const edges = new Map<string, string[]>();
    for (const { file, specifier, typeOnly } of imports) {
      if (typeOnly || !specifier.startsWith('.')) continue;
      edges.set(file, [...(edges.get(file) ?? []), relative(source, resolve(source, dirname(file), specifier))]);
    }
    const done = new Set<string>();
    const walk = (file: string, path: readonly string[]): void => {
      expect(path, `circle: ${[...path, file].join(' → ')}`).not.toContain(file);
      if (done.has(file)) return;
      for (const next of edges.get(file) ?? []) walk(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) walk(file, []);
  });

  test('the exported names are those that were agreed on', async () => {
    const entries = { core, node, testing, sqlite, postgres };
    const names = Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, Object.keys(entry).sort()]));
    await expect(`${JSON.stringify(names, null, 2)}\n`).toMatchFileSnapshot('golden/exports.json');
    expect(names['core']!.length).toBeLessThanOrEqual(80);
  });
});
