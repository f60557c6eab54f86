/** `@millrace/cep`: patterns over keyed streams. */
export { detect } from './operator/detect.ts';
export type { Detected } from './operator/detect.ts';
export type { DetectOptions, MatchContext } from './operator/options.ts';
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
