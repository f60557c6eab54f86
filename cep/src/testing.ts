/** `@millrace/cep/testing`: patterns without a job. */
export { matches, trial } from './testing/trial.ts';
export type { MatchesOptions, PatternTrial, TrialMatch, TrialOptions } from './testing/trial.ts';
