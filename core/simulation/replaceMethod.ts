type Method<T> = (this: T, ...args: never[]) => unknown;

/**
 * Puts another version of a method into a class, from outside. `change` is given the method as it was; the result puts it back.
 *
 * @throws Error where the class has no such method: it has moved on, and this has to follow.
 */
export function replaceMethod<T extends object>(
  of: { readonly prototype: T },
  method: string,
  change: (original: (self: T, ...args: unknown[]) => never) => (self: T, ...args: never[]) => unknown,
): () => void {
  const methods = of.prototype as Record<string, Method<T>>;
  const original = methods[method];
  if (original === undefined) throw new Error(`There is no method "${method}" to replace: the engine has moved on.`);
  const changed = change((self, ...args) => original.apply(self, args as never[]) as never);
  methods[method] = function (this: T, ...args: never[]): unknown {
    return changed(this, ...args);
  };
  return () => void (methods[method] = original);
}
