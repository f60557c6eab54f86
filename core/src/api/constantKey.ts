/**
 * Whether a key selector looks at no element, as in `keyBy(() => 0)`, so that all elements have one key. A function with default or rest
 * parameters, or one that reads `arguments`, has no parameters to count and may look all the same.
 */
export function isConstantKey(key: (value: never) => unknown): boolean {
  if (key.length > 0) return false;
  const text = Function.prototype.toString.call(key);
  return /^(?:function\b[^(]*|[\w$]+\s*)?\(\s*\)/.test(text) && !/\barguments\b/.test(text);
}
