import type { Automaton } from '../automaton/automaton.ts';
import { compilePattern } from '../automaton/compilePattern.ts';
import type { Complete, Matched } from '../pattern/matched.ts';
import { labelOf, nameOf } from './explain.ts';

/**
 * The compiled pattern as a Mermaid state diagram.
 *
 * @example
 * console.log(patternMermaid(pattern<number>().begin('one').where((n) => n === 1)));
 * // stateDiagram-v2
 * //   state "one" as s0
 * //   [*] --> s0 : one
 * //   s0 --> [*]
 */
export function patternMermaid(pattern: Complete<never, Matched>): string {
  const automaton = compilePattern(pattern.node);
  const id = (state: number): string => (state < 0 ? '[*]' : `s${state}`);
  return [
    'stateDiagram-v2',
    ...automaton.states.map((state) => `  state "${quoteless(nameOf(automaton, state.id))}" as ${id(state.id)}`),
    ...edges(automaton).map(([from, to, label]) => `  ${id(from)} --> ${id(to)} : ${quoteless(label).replaceAll(':', ' ')}`),
    ...automaton.states.flatMap((state) => (state.accepts ? [`  ${id(state.id)} --> [*]`] : [])),
  ].join('\n');
}

/**
 * The compiled pattern as a graph in DOT, for Graphviz.
 *
 * @example
 * console.log(patternDot(pattern<number>().begin('one').where((n) => n === 1)).split('\n').length); // 6
 */
export function patternDot(pattern: Complete<never, Matched>): string {
  const automaton = compilePattern(pattern.node);
  const id = (state: number): string => (state < 0 ? 'start' : `s${state}`);
  return [
    'digraph pattern {',
    '  rankdir=LR;',
    '  start [shape=point];',
    ...automaton.states.map(
      (state) =>
        `  ${id(state.id)} [label=${JSON.stringify(nameOf(automaton, state.id))}, shape=${state.accepts ? 'doublecircle' : 'circle'}];`,
    ),
    ...edges(automaton).map(([from, to, label]) => `  ${id(from)} -> ${id(to)} [label=${JSON.stringify(label)}];`),
    '}',
  ].join('\n');
}

function edges(automaton: Automaton): (readonly [from: number, to: number, label: string])[] {
  return automaton.transitions.map((transition) => [transition.from, transition.to, labelOf(automaton, transition)]);
}

function quoteless(text: string): string {
  return text.replaceAll('"', "'");
}
