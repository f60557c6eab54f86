import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KINDS } from '../conformance/kinds.ts';
import { type Case, casesOf, readTable } from '../conformance/table.ts';
import { judge, summary } from '../conformance/verdict.ts';

const own = readTable(fileURLToPath(new URL('../conformance/own.json', import.meta.url)));
const sampleFile = fileURLToPath(new URL('../../../shared/conformance/core.sample.json', import.meta.url));
function caseOf(id: string): Case {
  return own.find((each) => each.id === id)!;
}

describe('the table of our own', () => {
  test('has a case of each kind that runs', () => {
    const covered = new Set(own.map(({ kind }) => kind));
    expect(Object.keys(KINDS).filter((kind) => !covered.has(kind))).toEqual([]);
  });

  test.each(own.map((each) => [each.id, each] as const))('%s', async (_, each) => {
    const { result, detail } = await judge(each);
    expect({ result, ...(result === 'failed' && { detail }) }).toEqual({ result: 'passed' });
  });
});

// The sample is not part of the project: it lies beside it where the project is developed.
describe.skipIf(!existsSync(sampleFile))('the sample', () => {
  const sample = existsSync(sampleFile) ? readTable(sampleFile) : [];

  test('passes', async () => {
    const verdicts = [];
    for (const each of sample) verdicts.push(await judge(each));
    expect(verdicts.filter(({ result }) => result !== 'passed')).toEqual([]);
    expect(verdicts.length).toBe(sample.length);
  });
});

describe('a verdict', () => {
  test('of a wrong sum shows both sides on one line', async () => {
    const right = caseOf('win-late-accumulates');
    const main = [['rec', 'k', 1, 1999], ['wm', 1999], ['rec', 'k', 4, 1999]]; // prettier-ignore
    const { result, detail } = await judge({ ...right, expect: { main } });
    expect(result).toBe('failed');
    expect(detail).toMatch(/^\(aggregate\) expected .*"rec","k",4,1999.*, actual .*"rec","k",3,1999[^\n]*$/);
  });

  test.each([
    ['win-sliding', { main: [] }],
    ['win-lateness-boundary', { ...(caseOf('win-lateness-boundary').expect as object), side: [] }],
    ['asg-session', [[[0, 5000]], [[5000, 9999]]]],
    ['asg-invalid', { throwsEach: false }],
    ['mrg-chain', []],
    ['trg-count-merge', ['CONTINUE', 'CONTINUE', 2, null, 2, 'FIRE', 0, 'CONTINUE']],
    ['wm-flush', [[], [3], [], ['IDLE']]],
    ['wm-splits-deferred', [null, null, null, null, null, null, null, false, null, 2]],
    ['wm-bounded', { emit: -5 }],
    ['ij-exclusive', { pairs: [[1, 1]] }],
    ['ij-late', { pairs: [[5, 5], [5, 6]] }], // prettier-ignore
    ['ij-no-time', { throws: false }],
    ['cg-one-sided', [{ key: 'a', first: [0, 2], second: [1] }]],
    ['wj-time', { resultTs: 15 }],
    ['pf-overdue', []],
    ['ttl-exact', [null, null, 'A', 'A', true, null, null, 'C', null]],
    ['bat-reduce', { beforeEnd: [['bb', 'MAX']], atEnd: [['a', 'MAX']] }], // prettier-ignore
    ['kg-default', [128, 256, 256, 32768]],
    ['bar-newer-aborts', { completed: [2], aborted: [] }],
    ['tpc-notify', { committed: ['1', '2', '3'], openTransactionsAfterClose: 0 }],
    ['as-unordered', { output: [['wm', 0], 'a', 'b', ['wm', 10], 'c', 'd'] }], // prettier-ignore
    ['tmr-physical', [[], null, null, [20, 30], null, [10, 20, 30], null, [30], null, []]],
  ])('of %s is "failed" where something else is expected', async (id, wrong) => {
    expect(await judge({ ...caseOf(id), expect: wrong })).toMatchObject({
      id,
      result: 'failed',
      detail: expect.stringContaining('expected'),
    });
  });

  test('of a case that throws says what', async () => {
    const { result, detail } = await judge({ ...caseOf('wm-single'), input: [['flush', 0]] });
    expect([result, detail]).toEqual(['failed', expect.stringContaining('actual: it threw There is no step "flush"')]);
  });

  test('of an unknown kind is "skipped", with the reason', async () => {
    const verdict = await judge({ ...caseOf('wm-single'), kind: 'crystalBall' });
    expect(verdict).toMatchObject({ result: 'skipped', detail: 'there is nothing that runs the kind "crystalBall" yet' });
    expect(summary([verdict])).toBe('0 passed, 0 failed, 1 skipped');
  });
});

describe('a file', () => {
  test.each([
    [[], /schemaVersion/],
    [{ schemaVersion: 2, cases: [] }, /schemaVersion 2/],
    [{ schemaVersion: 1 }, /no cases/],
    [{ schemaVersion: 1, cases: [{ kind: 'valve', expect: [] }] }, /Case 0 has no id/],
    [{ schemaVersion: 1, cases: [{ id: 'a', kind: 'valve' }] }, /"a" expects nothing/],
    [{ schemaVersion: 1, cases: [caseOf('kg-hash'), caseOf('kg-hash')] }, /Two cases/],
  ])('that is no table is refused: %j', (content, problem) => {
    expect(() => casesOf(content)).toThrow(problem);
  });
});

describe('npm run conformance', () => {
  const script = fileURLToPath(new URL('../../scripts/conformance.js', import.meta.url));
  let folder = '';
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'conformance-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(...args: string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, INIT_CWD: folder },
    });
    return { status, out: stdout, err: stderr };
  }

  test('prints what failed and was skipped, then the numbers', () => {
    const cases = [
      caseOf('wm-single'),
      { ...caseOf('wm-flush'), expect: [[], [3], [9], ['IDLE']] },
      { ...caseOf('bat-failover'), kind: 'topN' },
    ];
    writeFileSync(join(folder, 'table.json'), JSON.stringify({ schemaVersion: 1, cases }));
    const { status, out } = run('core', 'table.json');
    expect(out.trimEnd().split('\n')).toEqual([
      'failed  wm-flush [valve]: expected [[],[3],[9],["IDLE"]], actual [[],[3],[8],["IDLE"]]',
      expect.stringMatching(/^skipped bat-failover \[topN\]: ./),
      '1 passed, 1 failed, 1 skipped',
    ]);
    expect(status).toBe(1);
    expect(run('core', 'table.json', '--only', 'wm-single')).toMatchObject({ status: 0, out: '1 passed, 0 failed, 0 skipped\n' });
  });

  test.each([
    [[], /Usage/],
    [['gelly', 'table.json'], /Usage/],
    [['core', 'nowhere.json'], /no file nowhere\.json/],
  ])('explains a wrong call: %j', (args, problem) => {
    expect(run(...args)).toMatchObject({ status: 2, err: expect.stringMatching(problem) });
  });
});
