/** A deliberate fault of the engine, put into it from outside: chaos that does not find it is of no use. */
export interface Mutant {
  readonly name: string;
  /** What it breaks, for people. */
  readonly about: string;
  /** Puts the fault in place; the result takes it away. */
  readonly apply: () => () => void;
}

type Method<T> = (this: T, ...args: never[]) => unknown;

/** A fault that is another version of one method. `change` is given the method as it was. */
export function mutant<T extends object>(
  name: string,
  about: string,
  of: { readonly prototype: T },
  method: string,
  change: (original: (self: T, ...args: unknown[]) => never) => (self: T, ...args: never[]) => unknown,
): Mutant {
  return {
    name,
    about,
    apply: () => {
      const methods = of.prototype as Record<string, Method<T>>;
      const original = methods[method];
      if (original === undefined) throw new Error(`The mutant "${name}" finds no method "${method}" to change: the engine has moved on.`);
      const changed = change((self, ...args) => original.apply(self, args as never[]) as never);
      methods[method] = function (this: T, ...args: never[]): unknown {
        return changed(this, ...args);
      };
      return () => void (methods[method] = original);
    },
  };
}
