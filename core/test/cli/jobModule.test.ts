import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadJob } from '../../src/cli/jobModule.ts';
import { prepareTypeScript } from '../../src/cli/typeScript.ts';

const fixtures = relative(process.cwd(), fileURLToPath(new URL('fixtures', import.meta.url)));
const load = (path: string) => loadJob(`${fixtures}/${path}`, async () => undefined);

describe('finding', () => {
  test.each(['numbers', 'numbers/', 'numbers/job.ts', 'numbers/job', 'plainJs', 'plainJs/job'])('%s', async (path) => {
    const { job, path: found } = await load(path);
    expect(job.name).toBe(path.startsWith('numbers') ? 'numbers' : 'plain');
    expect(found).toMatch(/\/job\.[tj]s$/);
  });

  test.each([
    ['numbres', `Did you mean ${fixtures}/numbers?`],
    ['numbers/jbo.ts', `Did you mean ${fixtures}/numbers/job.ts?`],
    ['numbres/deeper/job', `Did you mean ${fixtures}/numbers?`],
    ['something quite else', 'Name a job module'],
    ['.', 'no job.ts, job.js'],
  ])('%s is not there', async (path, text) => {
    await expect(load(path)).rejects.toMatchObject({ code: 'job/not-found', message: expect.stringContaining(text) as string });
  });
});

describe('importing', () => {
  test('a module that throws', async () => {
    await expect(load('broken')).rejects.toMatchObject({
      code: 'job/import-failed',
      message: expect.stringContaining('the database is gone') as string,
      cause: expect.any(TypeError) as unknown,
    });
  });

  test('modules without a job', async () => {
    await expect(load('noExport')).rejects.toMatchObject({
      code: 'job/no-default-export',
      message: expect.stringContaining('no default export') as string,
    });
    await expect(load('badExport')).rejects.toMatchObject({
      code: 'job/no-default-export',
      message: expect.stringContaining('exported as "mine"') as string,
    });
  });
});

describe('TypeScript', () => {
  const missing = async (): Promise<never> =>
    Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }));

  test('JavaScript needs nothing', async () => {
    await prepareTypeScript('job.js', missing);
  });

  test('tsx is loaded', async () => {
    let loaded = 0;
    await prepareTypeScript('job.ts', async () => loaded++);
    expect(loaded).toBe(1);
  });

  test('without tsx, and where Node cannot do it itself, the error names the package', async () => {
    const features = process.features as { typescript?: unknown };
    const { typescript } = features;
    Object.defineProperty(features, 'typescript', { value: false, configurable: true });
    try {
      await expect(prepareTypeScript('job.ts', missing)).rejects.toMatchObject({
        code: 'package/missing',
        remedy: expect.stringContaining('npm install --save-dev tsx') as string,
      });
      Object.defineProperty(features, 'typescript', { value: 'strip', configurable: true });
      await prepareTypeScript('job.ts', missing);
    } finally {
      Object.defineProperty(features, 'typescript', { value: typescript, configurable: true });
    }
  });

  test('a tsx that is broken is not missing', async () => {
    await expect(prepareTypeScript('job.ts', async () => Promise.reject(new SyntaxError('broken')))).rejects.toThrow('broken');
  });
});
