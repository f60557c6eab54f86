import { replaceMethod } from '../../simulation/replaceMethod.ts';

/** A deliberate fault of the engine, put into it from outside: chaos that does not find it is of no use. */
export interface Mutant {
  readonly name: string;
  /** What it breaks, for people. */
  readonly about: string;
  /** Puts the fault in place; the result takes it away. */
  readonly apply: () => () => void;
}

/** A fault that is another version of one method. */
export function mutant<T extends object>(
  name: string,
  about: string,
  ...[of, method, change]: Parameters<typeof replaceMethod<T>>
): Mutant {
  return { name, about, apply: () => replaceMethod(of, method, change) };
}

/** A fault that takes more than one method. */
export function together(name: string, about: string, parts: readonly Mutant[]): Mutant {
  return {
    name,
    about,
    apply: () => {
      const undo = parts.map(({ apply }) => apply());
      return () => {
        for (const each of undo) each();
      };
    },
  };
}
