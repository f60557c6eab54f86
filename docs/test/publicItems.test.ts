import { rmSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { folder, writeModule } from './example.ts';
import { type ModuleRun, runModules, typeCheck } from './modules.ts';
import { publicSurface } from './publicItems.ts';

const { items, names } = publicSurface();

const place = ({ name, file, line }: (typeof items)[number]): string => `${name} (${file}:${line})`;

test('every public item has a doc comment', () => {
  expect(items.filter(({ isDocumented }) => !isDocumented).map(place)).toEqual([]);
});

/** Classes that others hand out, whose examples show how they are used. */
const SHOWN_ELSEWHERE = /^(ByteReader|ByteWriter|ManualClock|OperatorMetrics)\./;

test('every public function and method has an example', () => {
  const callable = items.filter(({ name, isCallable }) => isCallable && !SHOWN_ELSEWHERE.test(name));
  expect(callable.filter(({ examples }) => examples.length === 0).map(place)).toEqual([]);
});

describe('the examples of doc comments', () => {
  rmSync(folder, { recursive: true, force: true });
  const modules = items.flatMap((item) => item.examples.map((example) => writeModule(item, example, names)));
  const runs = new Map<string, ModuleRun>();

  beforeAll(async () => {
    const half = Math.ceil(modules.length / 2);
    const halves = [modules.slice(0, half), modules.slice(half)];
    await Promise.all(
      halves.map(async (part) => {
        const ran = await runModules(
          part.map(({ path }) => path),
          folder,
        );
        part.forEach(({ path }, at) => runs.set(path, ran[at]!));
      }),
    );
  }, 60_000);

  test('compile', async () => {
    expect(await typeCheck(folder)).toBe('');
  });

  test.each(modules)('$name', ({ path, output }) => {
    const { output: printed, error } = runs.get(path)!;
    expect(error).toBeUndefined();
    expect(printed).toBe(output);
  });
});
