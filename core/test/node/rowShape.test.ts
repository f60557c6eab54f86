import { describe, expect, test } from 'vitest';
import { assignedShape, generatedShape } from '../../src/node/rowShape.ts';

const names = ['id', 'a b', '__proto__', '"; throw 1; "', '\u2028', 'constructor', '1'];
const cells = ['first', '2', 'a cell of more than 13', '4', '5', '', '77'];
const text = cells.join(',');
const ends = Int32Array.from(cells, (_, index) => cells.slice(0, index + 1).join(',').length);

describe.each([
  ['generated', generatedShape],
  ['assigned', assignedShape],
])('a %s shape', (_name, shapeOf) => {
  const { fromBytes, fromCells } = shapeOf(names);

  test.each([
    ['bytes', () => fromBytes(text, Buffer.from(text), ends, 0)],
    ['cells', () => fromCells(cells)],
  ])('has every column, from %s', (_from, row) => {
    const made = row();
    expect(new Map(Object.entries(made))).toEqual(new Map(names.map((name, index) => [name, cells[index]])));
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
  });
});
