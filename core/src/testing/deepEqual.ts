/** Whether two values look the same to whoever reads them: plain data, dates, maps, sets and typed arrays by content. */
export function deepEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  if (left instanceof Date) return Object.is(left.getTime(), (right as Date).getTime());
  if (left instanceof Map || left instanceof Set) return sameItems([...left], [...(right as Iterable<unknown>)]);
  if (ArrayBuffer.isView(left)) return sameItems([...bytesOf(left)], [...bytesOf(right as ArrayBufferView)]);
  const fields = Object.keys(left);
  if (fields.length !== Object.keys(right).length) return false;
  return fields.every((field) => Object.hasOwn(right, field) && deepEqual(left[field as never], right[field as never]));
}

/** Whether two lists hold the same in the same order. */
export function sameItems(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((value, i) => deepEqual(value, right[i]));
}

/** What of `left` is not in `right`, each as often as it is missing there. */
export function missingItems<T>(left: readonly T[], right: readonly T[]): T[] {
  const rest = [...right];
  return left.filter((value) => {
    const at = rest.findIndex((other) => deepEqual(value, other));
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
