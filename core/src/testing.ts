export { everyCheckpoint } from './testing/everyCheckpoint.ts';
export { harness } from './testing/harness.ts';
export type { Emission, Harness, HarnessOptions, Pipeline, Snapshot } from './testing/harness.ts';
