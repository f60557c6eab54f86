import type { Automaton, Guard, Transition } from '../automaton/automaton.ts';
import { PredicateMask } from '../automaton/predicateMask.ts';
import type { ConditionContext, ConditionFunction } from '../pattern/condition.ts';
import type { Run } from './run.ts';
import { RunView } from './runView.ts';

/** What is asked of the current event, alone and together with a run. */
export class RunConditions {
  private readonly mask: PredicateMask;
  private readonly view: RunView;
  private readonly residual: readonly ConditionFunction[];
  private readonly correlations: Automaton['correlations'];
  private event: never = undefined as never;
  /** What conditions are told of the event: made once per event. */
  private context: ConditionContext = { timestamp: 0 };

  constructor({ unary, residual, correlations, steps }: Automaton) {
    this.mask = new PredicateMask(unary);
    this.view = new RunView(steps);
    this.residual = residual.map(({ test }) => test);
    this.correlations = correlations;
  }

  /** A new event: nothing is known of it. */
  begin(event: unknown, timestamp: number): void {
    this.event = event as never;
    if (this.residual.length > 0) this.context = { timestamp };
    this.mask.begin(event, timestamp);
  }

  /** Whether the event satisfies a predicate that is a matter of the event alone. */
  test(unary: number): boolean {
    return this.mask.test(unary);
  }

  /** Whether it satisfies a condition together with what a run has taken. */
  satisfies({ unary, residual }: Guard, run: Run | undefined): boolean {
    return this.mask.test(unary) && (residual < 0 || this.holds(residual, run));
  }

  /** The same for what is not a matter of the event alone. */
  holds(residual: number, run: Run | undefined): boolean {
    if (residual < 0) return true;
    const { view } = this;
    view.run = run;
    return this.residual[residual]!(this.event, view.soFar, this.context);
  }

  /** By which value runs agree with the event. */
  valueOf(correlation: number): unknown {
    return this.correlations[correlation]!.of(this.event);
  }

  /** What forbids the event to a run that it directly follows. */
  obstacleToFirst({ firstNot, firstMust }: Transition, run: Run | undefined): Guard | undefined {
    for (const guard of firstNot) if (this.satisfies(guard, run)) return guard;
    for (const guard of firstMust) if (!this.satisfies(guard, run)) return guard;
    return undefined;
  }

  /** What must not happen on the way, and does with the event. */
  obstacle({ kills }: Transition, run: Run | undefined): Guard | undefined {
    for (const guard of kills) if (this.satisfies(guard, run)) return guard;
    return undefined;
  }
}
