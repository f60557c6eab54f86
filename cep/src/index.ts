/** `@millrace/cep`: patterns over keyed streams. */
export { patternDot, patternMermaid } from './explain/diagram.ts';
export { explain } from './explain/explain.ts';
export type { ExplainOptions, PatternExplanation } from './explain/explain.ts';
export { detect } from './operator/detect.ts';
export type { Detected } from './operator/detect.ts';
export type { DetectOptions, MatchContext } from './operator/options.ts';
export { toMachine } from './explain/toMachine.ts';
export type { PatternMachine, PatternMachineMove, PatternMachineState } from './explain/toMachine.ts';
export { fromJSON } from './pattern/fromJson.ts';
export type { FromJSONOptions } from './pattern/fromJson.ts';
export { pattern } from './pattern/builder.ts';
export { all, either } from './pattern/combinations.ts';
export type {
  AndCondition,
  Condition,
  ConditionContext,
  ConditionFunction,
  EqualCondition,
  ExpressionCondition,
  FunctionCondition,
  OrCondition,
  Property,
} from './pattern/condition.ts';
export type {
  AfterMatch,
  Beginning,
  Finished,
  GroupStep,
  Guard,
  Links,
  NotStep,
  PropertyOf,
  Step,
  Test,
  TimesOptions,
} from './pattern/language.ts';
export type { Complete, Fresh, Matched, MatchOf } from './pattern/matched.ts';
export type {
  AfterMatchNode,
  AllNode,
  EitherNode,
  EmitMode,
  EventNode,
  GroupNode,
  InnerLink,
  Link,
  MaxPartials,
  NotNode,
  PatternNode,
  SequenceNode,
  StepNode,
  TakingNode,
  TimesNode,
} from './pattern/pattern.ts';
export type { NamedFunctions } from './pattern/readCondition.ts';
export type { DeathReason } from './executors/runObserver.ts';
export type { TraceOptions, TraceStep } from './trace/traceStep.ts';
export { detectAll } from './rules/detectAll.ts';
export type { DetectAllOptions, Rule, RuleMatch, RuleOutputs } from './rules/detectAll.ts';
export type { RuleChange, RulePut, RuleRemoval, RuleRuns } from './rules/ruleChange.ts';
