/**
 * What an event must be to be taken by a step. Part of the plain tree of a pattern: functions are the only thing in it that is no JSON, and
 * an `expression` is their JSON form.
 */
export type Condition = FunctionCondition | ExpressionCondition | EqualCondition | AndCondition | OrCondition;

/** A function of the event, of the events that the run has taken so far by step name, and of the event's time. */
export interface FunctionCondition {
  readonly function: ConditionFunction;
  /** By which a condition is told in traces, and found again when a pattern is read from JSON. */
  readonly name?: string | undefined;
}

/** A condition as data, which `compileExpression` turns into a function. */
export interface ExpressionCondition {
  readonly expression: unknown;
}

/** The event agrees with the first event of an earlier step: what runs can be found by instead of being asked one by one. */
export interface EqualCondition {
  readonly equal: {
    readonly of: Property;
    /** The earlier step. Where it has taken no event, nothing is equal. */
    readonly step: string;
    readonly to: Property;
  };
}

/** All of them hold. */
export interface AndCondition {
  readonly and: readonly Condition[];
}

/** One of them holds, or more. */
export interface OrCondition {
  readonly or: readonly Condition[];
}

/** A field by its name, or a function of the event. */
export type Property = string | ((event: never) => unknown);

/** Besides the event and the run: when the event happened. */
export interface ConditionContext {
  /** The event's time in ms. */
  readonly timestamp: number;
}

/**
 * With one parameter it is *unary*: a matter of the event alone, asked at most once per event. A second parameter makes it *iterative*:
 * it is asked for each run that could take the event.
 */
export type ConditionFunction = (event: never, soFar: never, context: ConditionContext) => boolean;

/**
 * What `compileExpression(expression, step)` of `expression/compileExpression.ts` makes of an expression: the contract between the expression
 * language and the compiler of patterns.
 *
 * @throws MillraceError `cep/condition` naming the step, for what is no expression.
 */
export interface CompiledExpression {
  /** Called with the event, what the run has taken (only if it is not unary), and the event's time. */
  readonly test: ConditionFunction;
  /** Speaks of the event alone. */
  readonly isUnary: boolean;
  /** For people. */
  readonly text: string;
}
