import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sliding } from '../../src/index.ts';
import { Slicing } from '../../src/operators/slicing.ts';

const lengths = fc.integer({ min: 1, max: 40 });
const alignments = fc
  .record({ size: lengths, slide: lengths, shift: fc.double({ min: -0.99, max: 0.99, noNaN: true }) })
  .map(({ size, slide, shift }) => ({ size, slide, offset: Math.trunc(shift * slide) }));
const times = fc.integer({ min: -200, max: 200 });

test('a time lies in its slice, slices follow one another, and there are at most two per slide', () => {
  fc.assert(
    fc.property(alignments, times, (alignment, time) => {
      const slicing = new Slicing(alignment);
      const slice = slicing.sliceAt(time);
      expect(slicing.startOf(slice)).toBeLessThanOrEqual(time);
      expect(time).toBeLessThan(slicing.startOf(slice + 1));
      expect(slicing.sliceAt(time + alignment.slide) - slice).toBeLessThanOrEqual(2);
    }),
  );
});

test('the windows of a slice are those that the assigner gives each of its times', () => {
  fc.assert(
    fc.property(alignments, times, (alignment, time) => {
      const { size, slide, offset } = alignment;
      const slicing = new Slicing(alignment);
      const slice = slicing.sliceAt(time);
      const windows = [];
      for (let window = slicing.firstWindow(slice); window <= slicing.lastWindow(slice); window++) windows.push(slicing.windowAt(window));
      const assigner = sliding({ milliseconds: size }, { every: { milliseconds: slide }, offset: { milliseconds: offset } });
      expect(slicing.isGap(slice) ? [] : windows).toEqual(assigner.assign(undefined, time, 0));
      for (let window = slicing.firstWindow(slice); window <= slicing.lastWindow(slice) && !slicing.isGap(slice); window++) {
        expect(slicing.firstSlice(window)).toBeLessThanOrEqual(slice);
        expect(slicing.lastSlice(window)).toBeGreaterThanOrEqual(slice);
      }
    }),
  );
});

test('a window is a run of whole slices', () => {
  fc.assert(
    fc.property(alignments, times, (alignment, window) => {
      const slicing = new Slicing(alignment);
      const { start, end } = slicing.windowAt(window);
      expect(slicing.startOf(slicing.firstSlice(window))).toBe(start);
      expect(slicing.startOf(slicing.lastSlice(window) + 1)).toBe(end);
      expect(slicing.lastSlice(window) - slicing.firstSlice(window) + 1).toBe(slicing.slices);
    }),
  );
});

test('a window is closed by the watermark at its last ms', () => {
  fc.assert(
    fc.property(alignments, times, (alignment, window) => {
      const slicing = new Slicing(alignment);
      const last = slicing.windowAt(window).end - 1;
      expect(slicing.closedAt(last)).toBeGreaterThanOrEqual(window);
      expect(slicing.closedAt(last - 1)).toBeLessThan(window);
    }),
  );
  const slicing = new Slicing({ size: 10, slide: 10, offset: 0 });
  expect(slicing.closedAt(Number.MIN_SAFE_INTEGER)).toBe(-Infinity);
  expect(slicing.closedAt(Number.MAX_SAFE_INTEGER)).toBe(Infinity);
});

test('windows at the ends of time stop there', () => {
  const slicing = new Slicing({ size: 1000, slide: 1000, offset: 0 });
  const last = slicing.sliceAt(Number.MAX_SAFE_INTEGER);
  expect(slicing.windowAt(slicing.lastWindow(last)).end).toBe(Number.MAX_SAFE_INTEGER);
  const first = slicing.sliceAt(Number.MIN_SAFE_INTEGER);
  expect(slicing.windowAt(slicing.firstWindow(first)).start).toBe(Number.MIN_SAFE_INTEGER);
});
