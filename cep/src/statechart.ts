/** `@millrace/cep/statechart`: a durable XState machine per key. */
export { statechart } from './statechart/statechart.ts';
export type { StatechartOptions, StatechartOutputs } from './statechart/statechart.ts';
