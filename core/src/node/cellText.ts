/**
 * Makes a string of some ASCII bytes that does not keep the rest of the chunk alive. A slice of 13 characters or more of a big string
 * refers to it: one key kept in state would hold all of it. Shorter slices are copies.
 */
export function cellText(text: string, bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length < SHORTEST_SLICE) return text.slice(start, end);
  return length <= LONGEST_PACKED ? packed(bytes, start, length) : bytes.toString('latin1', start, end);
}

/** V8 copies what is shorter and refers to what is longer. */
const SHORTEST_SLICE = 13;
/** From here on `toString`, which costs about 60 ns whatever the length, is as fast. */
const LONGEST_PACKED = 24;

type Pack = (bytes: Buffer, start: number, length: number) => string;

const packed: Pack = generatePack() ?? ((bytes, start, length) => bytes.toString('latin1', start, start + length));

/** `String.fromCharCode` with all its arguments written out takes half the time of a call into Node; card numbers and timestamps live there. */
function generatePack(): Pack | undefined {
  let cases = '';
  for (let length = SHORTEST_SLICE; length <= LONGEST_PACKED; length++) {
    const codes = Array.from({ length }, (_, index) => `bytes[start + ${index}]`).join(', ');
    cases += `case ${length}: return String.fromCharCode(${codes});\n`;
  }
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the text is made of numbers
    return new Function('bytes', 'start', 'length', `switch (length) {\n${cases}}`) as Pack;
  } catch {
    return undefined; // where code generation is forbidden
  }
}
