import type { Correlation, Guard, ResidualPredicate, UnaryPredicate } from './automaton.ts';
import { type Agreement, and, compileFormula, equalityOf, type Formula, isUnary, keyOf, textOf } from './formula.ts';

/** Hands out numbers for conditions: one predicate for all that say the same. */
export class Guards {
  readonly unary: UnaryPredicate[] = [];
  readonly residual: ResidualPredicate[] = [];
  readonly correlations: Correlation[] = [];
  private readonly steps: readonly string[];
  private readonly unaryIds = new Map<string, number>();
  private readonly residualIds = new Map<string, number>();
  private readonly correlationIds = new Map<string, number>();

  constructor(steps: readonly string[]) {
    this.steps = steps;
  }

  /** Splits a condition into what can be asked of the event alone and the rest, and that into what runs can be found by and the rest. */
  of(formula: Formula): Guard {
    if (formula.kind === 'true') return { unary: -1, residual: -1, correlation: -1, rest: -1 };
    if (isUnary(formula)) return { unary: this.unaryId(formula), residual: -1, correlation: -1, rest: -1 };
    const parts = formula.kind === 'and' ? formula.parts : [formula];
    const alone = and(parts.filter(isUnary));
    const asked = parts.filter((part) => !isUnary(part));
    const unary = alone.kind === 'true' ? -1 : this.unaryId(alone);
    const residual = this.residualId(and(asked));
    // With a step that takes no events, nothing agrees.
    const found = asked.filter(agrees).find(({ agreement }) => this.steps.includes(agreement.step));
    if (found === undefined) return { unary, residual, correlation: -1, rest: residual };
    const rest = and(asked.filter((part) => part !== found));
    return { unary, residual, correlation: this.correlationId(found), rest: rest.kind === 'true' ? -1 : this.residualId(rest) };
  }

  private unaryId(formula: Formula): number {
    return numbered(this.unaryIds, keyOf(formula), () => {
      const test = compileFormula(formula);
      const withTime = (event: never, timestamp: number): boolean => test(event, undefined as never, { timestamp });
      return this.unary.push({
        text: textOf(formula),
        test: test.length < 2 ? (test as unknown as UnaryPredicate['test']) : withTime,
        equality: equalityOf(formula),
      });
    });
  }

  private residualId(formula: Formula): number {
    return numbered(this.residualIds, keyOf(formula), () => this.residual.push({ text: textOf(formula), test: compileFormula(formula) }));
  }

  private correlationId({ key, text, agreement }: Agreeing): number {
    const { step, ...sides } = agreement;
    return numbered(this.correlationIds, key, () => this.correlations.push({ text, step: this.steps.indexOf(step), ...sides }));
  }
}

type Agreeing = Extract<Formula, { kind: 'test' }> & { readonly agreement: Agreement };

function agrees(formula: Formula): formula is Agreeing {
  return formula.kind === 'test' && formula.agreement !== undefined;
}

function numbered(ids: Map<string, number>, key: string, add: () => number): number {
  const known = ids.get(key);
  if (known !== undefined) return known;
  const id = add() - 1;
  ids.set(key, id);
  return id;
}
