import type { UnaryPredicate } from '../automaton/automaton.ts';
import type { Equality } from '../expression/term.ts';

/** A predicate that several rules ask: its answer for the current event is kept. */
export class SharedPredicate<R> {
  readonly test: UnaryPredicate['test'];
  readonly equality: Equality | undefined;
  /** Whom it concerns when it is true. */
  readonly users: R[] = [];
  private readonly ask: UnaryPredicate['test'];
  private readonly predicates: { readonly event: number };
  private asked = -1;
  private truth = false;

  constructor({ test, equality }: UnaryPredicate, predicates: { readonly event: number }) {
    this.ask = test;
    this.predicates = predicates;
    this.equality = equality;
    // Those that are found by a value were asked when the event came; where the value is another, they are false.
    const isFound = equality !== undefined;
    this.test = (event, timestamp) => (this.asked === predicates.event ? this.truth : !isFound && this.find(event, timestamp));
  }

  /** Asks, and keeps the answer. */
  find(event: never, timestamp: number): boolean {
    this.asked = this.predicates.event;
    return (this.truth = this.ask(event, timestamp));
  }
}

/** A field that predicates compare with constants: by its value, those that can be true. */
interface FieldIndex<R> {
  readonly path: readonly string[];
  readonly byValue: Map<unknown, SharedPredicate<R>[]>;
}

/**
 * The predicates of all rules, each once however many rules ask it, and at most once per event. Those that want a field to be one of a few
 * constants are found by its value: what wants another is not even asked.
 */
export class SharedPredicates<R> {
  /** The number of the current event. */
  event = 0;
  private readonly byText = new Map<string, SharedPredicate<R>>();
  private readonly fields = new Map<string, FieldIndex<R>>();
  private readonly unindexed: SharedPredicate<R>[] = [];

  /** The predicate that says the same; `text` is equal for those that do. */
  share(text: string, predicate: UnaryPredicate): SharedPredicate<R> {
    const known = this.byText.get(text);
    if (known !== undefined) return known;
    const shared = new SharedPredicate<R>(predicate, this);
    this.byText.set(text, shared);
    if (shared.equality === undefined) this.unindexed.push(shared);
    else this.index(shared, shared.equality);
    return shared;
  }

  /** Drops users that are of no concern any more, and predicates that have none left. */
  release(isOver: (user: R) => boolean): void {
    for (const [text, predicate] of this.byText) {
      const left = predicate.users.filter((user) => !isOver(user));
      if (left.length === predicate.users.length) continue;
      predicate.users.splice(0, Infinity, ...left);
      if (left.length > 0) continue;
      this.byText.delete(text);
      if (predicate.equality === undefined) remove(this.unindexed, predicate);
      else for (const same of this.fields.get(JSON.stringify(predicate.equality.path))!.byValue.values()) remove(same, predicate);
    }
  }

  /** Calls `visit` for each predicate that a new event satisfies. */
  begin(event: unknown, timestamp: number, visit: (predicate: SharedPredicate<R>) => void): void {
    this.event++;
    for (const { path, byValue } of this.fields.values()) {
      const candidates = byValue.get(valueAt(event, path));
      if (candidates !== undefined) for (const predicate of candidates) if (predicate.find(event as never, timestamp)) visit(predicate);
    }
    for (const predicate of this.unindexed) if (predicate.test(event as never, timestamp)) visit(predicate);
  }

  private index(shared: SharedPredicate<R>, { path, values }: Equality): void {
    const name = JSON.stringify(path);
    const field = this.fields.get(name) ?? { path, byValue: new Map<unknown, SharedPredicate<R>[]>() };
    this.fields.set(name, field);
    for (const value of new Set(values)) {
      const same = field.byValue.get(value);
      if (same === undefined) field.byValue.set(value, [shared]);
      else same.push(shared);
    }
  }
}

function remove<V>(list: V[], value: V): void {
  const at = list.indexOf(value);
  if (at >= 0) list.splice(at, 1);
}

function valueAt(event: unknown, path: readonly string[]): unknown {
  let value = event;
  for (let i = 0; i < path.length; i++) {
    if (value === null || value === undefined) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[path[i]!];
  }
  return value;
}
