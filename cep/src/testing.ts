/** `@millrace/cep/testing`: patterns without a job. */
export { trace } from './testing/trace.ts';
export { matches, trial } from './testing/trial.ts';
export type { MatchesOptions, PatternTrial, TrialMatch, TrialOptions } from './testing/trial.ts';
export type { TraceStep } from './trace/traceStep.ts';
export type { DeathReason } from './executors/runObserver.ts';
