import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const module = fileURLToPath(new URL('../../src/node/heapLimit.ts', import.meta.url));
const PRINT = `const { heapLimit } = await import(${JSON.stringify(module)}); console.log(heapLimit() / 1048576);`;
function printed(code: string, args: readonly string[], options = ''): number {
  const env = { ...process.env, NODE_OPTIONS: options };
  const { stdout, stderr } = spawnSync(process.execPath, [...args, '--import', 'tsx', '--input-type=module', '-e', code], { env });
  return Number(String(stdout) || String(stderr));
}

test('the limit of the heap is what was set, without the young generation', () => {
  expect(printed(PRINT, ['--max-old-space-size=70'])).toBe(70);
  expect(printed(PRINT, ['--max_old_space_size=70'], '--max-old-space-size=80')).toBe(70);
  expect(printed(PRINT, [], '--max-old-space-size=80 --expose-gc')).toBe(80);
  expect(printed(PRINT, [])).toBeGreaterThan(100);
});
