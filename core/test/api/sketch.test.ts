import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const sketch = join(root, '../shared/api-sketch');

/** The packages of the suite: the core is ours, and the others are declarations that lie beside the snippets. */
const paths = {
  '@millrace/core': [join(root, 'core/src/index.ts')],
  '@millrace/core/node': [join(root, 'core/src/node.ts')],
  '@millrace/core/testing': [join(root, 'core/src/testing.ts')],
  '@millrace/cep': ['./cep/index.ts'],
  '@millrace/gelly': ['./gelly/index.ts'],
  '@millrace/ml': ['./ml/index.ts'],
};

// The sketch is not part of the project: it lies beside it where the project is developed.
test('the snippets of the sketch of the API, its exact types and its mistakes are what the compiler says of the API itself', ({ skip }) => {
  skip(!existsSync(sketch), 'there is no ../shared/api-sketch');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sketch-'));
  try {
    for (const part of ['snippets', 'cep', 'gelly', 'ml', 'tsconfig.base.json'])
      cpSync(join(sketch, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const compilerOptions = {
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      noEmit: true,
      isolatedDeclarations: false,
      allowImportingTsExtensions: true,
      noUnusedLocals: false,
      lib: ['ES2023', 'ESNext.Disposable'],
      paths,
    };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: './tsconfig.base.json', compilerOptions, include: ['snippets'] }),
    );
    const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' });
    // What is wrong with the sources themselves is for the check of types to say.
    expect(stdout.split('\n').filter((line) => line.includes('snippets/'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
