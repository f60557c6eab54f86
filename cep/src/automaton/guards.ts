import type { Guard, ResidualPredicate, UnaryPredicate } from './automaton.ts';
import { and, compileFormula, equalityOf, type Formula, isUnary, keyOf, textOf } from './formula.ts';

/** Hands out numbers for conditions: one predicate for all that say the same. */
export class Guards {
  readonly unary: UnaryPredicate[] = [];
  readonly residual: ResidualPredicate[] = [];
  private readonly unaryIds = new Map<string, number>();
  private readonly residualIds = new Map<string, number>();

  /** Splits a condition into what can be asked of the event alone and the rest. */
  of(formula: Formula): Guard {
    if (formula.kind === 'true') return { unary: -1, residual: -1 };
    if (isUnary(formula)) return { unary: this.unaryId(formula), residual: -1 };
    if (formula.kind !== 'and') return { unary: -1, residual: this.residualId(formula) };
    const alone = and(formula.parts.filter(isUnary));
    const rest = and(formula.parts.filter((part) => !isUnary(part)));
    return { unary: alone.kind === 'true' ? -1 : this.unaryId(alone), residual: this.residualId(rest) };
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
}

function numbered(ids: Map<string, number>, key: string, add: () => number): number {
  const known = ids.get(key);
  if (known !== undefined) return known;
  const id = add() - 1;
  ids.set(key, id);
  return id;
}
