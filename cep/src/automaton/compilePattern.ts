import type { PatternNode, SequenceNode, StepNode } from '../pattern/pattern.ts';
import { checkFlinkCompatible } from '../pattern/validation.ts';
import { splitAbsences } from './absences.ts';
import { ANY, type Automaton, type Compat, type Guard, type State, type Transition } from './automaton.ts';
import { type Formula, Formulas } from './formula.ts';
import { type DraftState, waysOut } from './fragment.ts';
import { Guards } from './guards.ts';
import { indexTransitions } from './indexes.ts';
import { SequenceCompiler } from './sequence.ts';

/**
 * Compiles a pattern's tree.
 *
 * @throws MillraceError `cep/too-large`
 */
export function compilePattern({ sequence }: PatternNode, compat?: Compat): Automaton {
  if (compat === 'flink') checkFlinkCompatible(sequence);
  const compiler = new SequenceCompiler(sequence, new Formulas(), compat);
  const start = compiler.compile();
  const guards = new Guards(compiler.steps);
  // Steps were compiled from the last to the first; people read them from the first.
  const numberOf = ({ id }: DraftState): number => compiler.states.length - 1 - id;
  const ways: Transition[] = [];
  const add = (from: number, out: DraftState['out'], elapsed: number): { readonly ids: number[]; readonly accepts: boolean } => {
    const { ways: found, accepts } = waysOut(out);
    const ids: number[] = [];
    const seen = new Set<string>();
    for (const { to, entry, kills, firstNot, firstMust } of found) {
      const guardsOf = (formulas: readonly Formula[]): Guard[] => distinct(formulas.map((formula) => guards.of(formula)));
      const draft = {
        from,
        to: numberOf(to),
        kind: from < 0 ? ANY : entry.kind,
        take: guards.of(to.take),
        kills: guardsOf(kills),
        firstNot: guardsOf(firstNot),
        firstMust: guardsOf(firstMust),
        gap: from < 0 ? Infinity : entry.gap - elapsed,
        isQuiet: entry.isQuiet === true,
        after: to.after,
        confirms: to.confirms,
        outlasts: false,
        index: -1,
        bit: 0,
      };
      const key = JSON.stringify(draft);
      if (seen.has(key)) continue;
      seen.add(key);
      ids.push(ways.push({ id: ways.length, ...draft }) - 1);
    }
    return { ids, accepts };
  };
  const starts = add(-1, start, 0).ids;
  const drafted: State[] = compiler.states.toReversed().map((draft) => {
    const { step, label, out, elapsed } = draft;
    const id = numberOf(draft);
    const { ids, accepts } = add(id, out, elapsed);
    return { id, step, label, accepts, out: ids };
  });
  const { states, transitions } = indexTransitions(splitAbsences(drafted, ways), guards.correlations);
  const within = sequence.within === undefined || sequence.within === 0 ? Infinity : sequence.within;
  const { unary, residual, correlations } = guards;
  const shape = JSON.stringify([
    compiler.steps,
    states.map(({ step, label }) => [step, label]),
    transitions.map(({ from, to, kind }) => [from, to, kind]),
  ]);
  return {
    steps: compiler.steps,
    states,
    transitions,
    starts,
    unary,
    residual,
    correlations,
    within,
    isAmbiguous: isAmbiguous(sequence),
    signature: hashOf(shape),
  };
}

function distinct(guards: readonly Guard[]): Guard[] {
  return guards.filter(
    (guard, at) => guards.findIndex(({ unary, residual }) => unary === guard.unary && residual === guard.residual) === at,
  );
}

function isAmbiguous({ steps }: SequenceNode): boolean {
  return steps.some((step: StepNode) => step.kind !== 'event' && step.kind !== 'not');
}

/** FNV-1a, as text. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16);
}
