export { StreamEnvironment } from './api/environment.ts';
export { fromArray } from './connectors/fromArray.ts';
export { forEach } from './connectors/forEach.ts';
export { avg, count, max, sum } from './state/aggregate.ts';
export { valueState } from './state/descriptor.ts';
