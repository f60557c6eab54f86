import { expect, test } from 'vitest';
import { runOptionsOf } from '../../src/cli/runFlags.ts';

test('--state and --state-directory say where keyed state lives', () => {
  expect(runOptionsOf({})).toEqual({});
  expect(runOptionsOf({ state: 'memory' })).toEqual({ state: { backend: 'memory' } });
  expect(runOptionsOf({ state: 'disk' })).toEqual({ state: { backend: 'disk' } });
  expect(runOptionsOf({ state: 'disk', stateDirectory: '/data' })).toEqual({ state: { backend: 'disk', directory: '/data' } });
  expect(() => runOptionsOf({ stateDirectory: '/data' })).toThrow(/--state-directory says nothing without --state disk/);
});
