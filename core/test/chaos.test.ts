import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/chaos.js', import.meta.url));

/** Runs the command to its end; its last lines. */
function chaos(...args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

describe('processes that are killed, stopped and resumed', () => {
  test('25 seeds: what their files hold is what an undisturbed run writes', async () => {
    const { code, output } = await chaos('--seeds', '25');
    expect(output).toMatch(/25 passed, 0 failed\n$/);
    expect(code).toBe(0);
  }, 300_000);

  test('find a mutant', async () => {
    const { code, output } = await chaos('--mutant', 'lose-committables', '--processes', '--seeds', '40');
    expect(output).toMatch(/caught +lose-committables[^]*1 passed, 0 failed\n$/);
    expect(code).toBe(0);
  }, 120_000);

  test('a mutant that there is not is refused, with those that there are', async () => {
    const { code, output } = await chaos('--mutant', 'none');
    expect(code).toBe(2);
    expect(output).toContain('skip-alignment');
  });
});
