import type { CodeSite } from '../operators/codeSite.ts';
import type { Operator } from '../operators/operator.ts';
import { isPlaced } from './failure.ts';
import type { Link, Target } from './link.ts';

/** Calls nested deeper than this in one function go through a function of their own: V8 does not optimise giants. */
const MAX_INLINE_DEPTH = 24;

/** The text of a driver, and the values that it is over. */
export interface DriverCode {
  readonly text: string;
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  /** The places of the counts, by {@link mainCount} and {@link sideCount}. */
  readonly counts: ReadonlyMap<string, number>;
}

/** The name of the count of a link's main output. */
export function mainCount(link: number): string {
  return `out${link}`;
}

/** The name of the count of a link's side output, by its position. */
export function sideCount(link: number, side: number): string {
  return `side${link}_${side}`;
}

/**
 * Writes a chain's driver. Per record it holds: the operators' code nested one into the other, a local `at` that says which operator
 * is at work (the uid of an error), counters in locals, and one look at the control.
 */
export class DriverWriter {
  private readonly links: readonly Link[];
  private readonly lines: string[] = [];
  private readonly names: string[] = [];
  private readonly values: unknown[] = [];
  private readonly bound = new Map<unknown, string>();
  private readonly functions = new Map<string, () => void>();
  private readonly setUp = new Set<string>();
  private readonly counts = new Map<string, number>();
  private variables = 0;
  private indent = 1;
  private depth = 0;
  /** Whether counters are locals of the function being written, or cells of the shared array. */
  private counted: Set<string> | undefined;

  constructor(links: readonly Link[]) {
    this.links = links;
  }

  /** `control`, `fail(error, at)`, `taken` and `counts` are what the text expects beside the bindings. */
  write(): DriverCode {
    const head = this.links[0]!;
    const runs = head.operator.inputs.map((_, input) => this.writeRun(input));
    const emits = this.links.map(({ operator }, link) => (emitsAlone(operator) ? this.emitFunction(link) : 'undefined'));
    const sides = this.links.map((link, at) => `[${[...link.sides.keys()].map((_, side) => this.sideFunction(at, side)).join(', ')}]`);
    this.writeFunctions();
    const parts = { run: runs, emits, sides };
    const returned = Object.entries(parts).map(([name, functions]) => `${name}: [${functions.join(', ')}]`);
    const text = `'use strict';\n${[...this.setUp, ...this.lines].join('\n')}\nreturn { ${returned.join(', ')} };`;
    return { text, names: this.names, values: this.values, counts: this.counts };
  }

  private writeRun(input: number): string {
    const name = `run${input}`;
    const start = this.lines.length;
    this.counted = new Set();
    this.indent = 3;
    this.depth = 0;
    this.writeEntry(0, input, 'value', 'time');
    const body = this.lines.splice(start);
    const locals = [...this.counted];
    this.counted = undefined;
    this.lines.push(
      `function ${name}(values, timestamps, from, to) {`,
      `  let at = 0, i = from${locals.map((local) => `, ${local} = 0`).join('')};`,
      '  try {',
      '    while (i < to) {',
      '      const value = values[i];',
      '      const time = timestamps === null ? -Infinity : timestamps[i];',
      '      i++;',
      ...body,
      '      if (control.interrupt) break;',
      '    }',
      '  } catch (error) {',
      '    throw fail(error, at);',
      '  } finally {',
      '    taken[0] += i - from;',
      ...locals.map((local) => `    ${this.cell(local)} += ${local};`),
      '  }',
      '  return i;',
      '}',
    );
    return name;
  }

  /** A function that delivers to a link's targets from outside of a run. Written once, when first asked for. */
  private emitFunction(link: number): string {
    return this.declare(`emit${link}`, () => this.writeEmit(link, 'value', 'time'));
  }

  /** A side output is off the hot path: always a function of its own. */
  private sideFunction(link: number, side: number): string {
    const targets = [...this.links[link]!.sides.values()][side]!;
    return this.declare(`side${link}_${side}`, () => {
      this.line(`${this.cell(sideCount(link, side))}++;`);
      for (const target of targets) this.writeTarget(target, 'value', 'time');
    });
  }

  private enterFunction(link: number, input: number): string {
    return this.declare(`enter${link}_${input}`, () => this.writeEntry(link, input, 'value', 'time'));
  }

  private declare(name: string, body: () => void): string {
    if (!this.functions.has(name)) this.functions.set(name, body);
    return name;
  }

  private writeFunctions(): void {
    // Writing a body may ask for further functions: a Map's iteration sees what is added on the way.
    for (const [name, body] of this.functions) {
      this.lines.push(`function ${name}(value, time) {`, '  let at = 0;', '  try {');
      this.indent = 2;
      this.depth = 0;
      body();
      this.lines.push('  } catch (error) {', '    throw fail(error, at);', '  }', '}');
    }
  }

  private writeEntry(index: number, input: number, value: string, time: string): void {
    const link = this.links[index]!;
    if (this.depth >= MAX_INLINE_DEPTH) return this.line(`${this.enterFunction(index, input)}(${value}, ${time});`);
    this.depth++;
    const guarded = link.policy !== 'fail';
    this.line(`${guarded ? `link${this.variables}: ` : ''}{ // ${link.uid.replaceAll(/[^\x20-\x7e]/g, '?')}`);
    this.indent++;
    this.line(`at = ${index};`);
    new LinkSite(this, link, index, { value, time, label: guarded ? `link${this.variables++}` : undefined }).write(input);
    this.indent--;
    this.line('}');
    this.depth--;
  }

  writeEmit(index: number, value: string, time: string): void {
    this.count(mainCount(index));
    for (const target of this.links[index]!.targets) this.writeTarget(target, value, time);
  }

  private writeTarget(target: Target, value: string, time: string): void {
    if (target.kind === 'link') return this.writeEntry(target.link, target.input, value, time);
    this.line(`${this.bind(target.push, 'push')}(${value}, ${time});`);
  }

  callEmit(index: number, value: string, time: string): void {
    this.line(`${this.emitFunction(index)}(${value}, ${time});`);
  }

  private count(counter: string): void {
    if (this.counted === undefined) return this.line(`${this.cell(counter)}++;`);
    this.counted.add(counter);
    this.line(`${counter}++;`);
  }

  private cell(counter: string): string {
    let place = this.counts.get(counter);
    if (place === undefined) this.counts.set(counter, (place = this.counts.size));
    return `counts[${place}]`;
  }

  bind(value: unknown, hint: string): string {
    const known = this.bound.get(value);
    if (known !== undefined) return known;
    const name = `${hint.replaceAll(/\W/g, '_')}$${this.names.length}`;
    this.names.push(name);
    this.values.push(value);
    this.bound.set(value, name);
    return name;
  }

  line(text: string): void {
    this.lines.push('  '.repeat(this.indent) + text);
  }

  variable(): string {
    return `v${this.variables++}`;
  }

  once(text: string): void {
    this.setUp.add(text);
  }

  nested(body: () => void): void {
    this.indent++;
    body();
    this.indent--;
  }
}

/** Whether an operator can emit outside of an element's journey through the text that it writes itself. */
function emitsAlone(operator: Operator): boolean {
  return operator.inline === undefined || HOOKS.some((hook) => operator[hook] !== undefined);
}

const HOOKS = ['onTimer', 'onWatermark', 'onEnd', 'onKeyEnd', 'onPause'] as const;

/** A link's place in the text, as its operator sees it. */
class LinkSite implements CodeSite {
  readonly value: string;
  readonly timestamp: string;
  key = '';
  private readonly writer: DriverWriter;
  private readonly link: Link;
  private readonly index: number;
  private readonly label: string | undefined;

  constructor(writer: DriverWriter, link: Link, index: number, names: { value: string; time: string; label: string | undefined }) {
    this.writer = writer;
    this.link = link;
    this.index = index;
    this.value = names.value;
    this.timestamp = names.time;
    this.label = names.label;
  }

  write(input: number): void {
    const { operator, context, keys } = this.link;
    const key = keys[input];
    if (key !== undefined) this.key = this.evaluate(`${this.bind(key, 'key')}(${this.value})`);
    // Batch mode ends a key and drops its state: the key must be the current one, whatever the operator itself needs.
    if (operator.inline === undefined || context.subtask.emission === 'final') this.enterKey();
    if (operator.inline !== undefined) return operator.inline(this, input);
    this.statement(`${this.bind(context, 'context')}.time = ${this.timestamp};`);
    this.evaluate(`${this.bind(operator.inputs[input], 'element')}(${this.value})`);
  }

  enterKey(): void {
    if (this.key !== '') this.evaluate(`${this.bind(this.link.context.subtask.backend, 'backend')}.enter(${this.key})`);
  }

  bind(value: unknown, hint: string): string {
    return this.writer.bind(value, hint);
  }

  evaluate(expression: string): string {
    const name = this.writer.variable();
    if (this.label === undefined) {
      this.writer.line(`const ${name} = ${expression};`);
      return name;
    }
    this.writer.line(`let ${name};`);
    this.writer.line(`try { ${name} = ${expression}; } catch (error) { ${this.rejection()} break ${this.label}; }`);
    return name;
  }

  statement(text: string): void {
    this.writer.line(text);
  }

  once(text: string): void {
    this.writer.once(text);
  }

  block(head: string, body: () => void): void {
    this.writer.line(`${head} {`);
    this.writer.nested(body);
    this.writer.line('}');
  }

  emit(value: string, timestamp: string = this.timestamp): void {
    this.writer.writeEmit(this.index, value, timestamp);
  }

  emitEach(iterable: string): void {
    const item = this.writer.variable();
    this.block(`if (Array.isArray(${iterable}))`, () => {
      const i = this.writer.variable();
      this.block(`for (let ${i} = 0; ${i} < ${iterable}.length; ${i}++)`, () => {
        this.writer.line(`const ${item} = ${iterable}[${i}];`);
        this.emit(item);
      });
      this.writer.line(`at = ${this.index};`);
    });
    this.block(`else if (${iterable} !== undefined)`, () => this.writeIteration(iterable, item));
  }

  /** A generator runs user code between two elements, so what it throws there is this operator's. */
  private writeIteration(iterable: string, item: string): void {
    const loop = (): void =>
      this.block(`for (const ${item} of ${iterable})`, () => {
        this.writer.callEmit(this.index, item, this.timestamp);
        this.writer.line(`at = ${this.index};`);
      });
    if (this.label === undefined) return loop();
    this.block('try', loop);
    this.writer.line(`catch (error) { ${this.rejection()} }`);
  }

  private rejection(): string {
    const placed = this.bind(isPlaced, 'isPlaced');
    return `if (${placed}(error)) throw error; ${this.bind(this.link.reject, 'reject')}(error, ${this.value}, ${this.timestamp});`;
  }
}
