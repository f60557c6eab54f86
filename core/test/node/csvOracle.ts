/**
 * CSV character by character, as the guide describes it, with no regard to speed: what the tokenizer is held against. Written for
 * comma and double quote.
 */
export interface OracleRow {
  /** The line on which it begins. */
  readonly line: number;
  /** Undefined for a row that is malformed. */
  readonly cells: string[] | undefined;
}

/** The rows of a document that ends where `text` ends. Blank lines are not among them. */
export function oracleRows(text: string): OracleRow[] {
  const rows: OracleRow[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const lineEnd = endOfLine(text, at);
    const record = recordAt(text, at);
    const blank = text.slice(at, lineEnd).replace(/\r$/, '') === '';
    if (record === undefined) {
      rows.push({ line, cells: undefined });
      line++;
      at = lineEnd + 1;
      continue;
    }
    if (!blank) rows.push({ line, cells: record.cells });
    line += text.slice(at, record.end).split('\n').length;
    at = record.end + 1;
  }
  return rows;
}

function endOfLine(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline === -1 ? text.length : newline;
}

/** `end` is the place of the record's newline, or the end of the text. */
function recordAt(text: string, start: number): { cells: string[]; end: number } | undefined {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    const cell = text[at] === '"' ? quotedCell(text, at + 1) : plainCell(text, at);
    if (cell === undefined) return undefined;
    cells.push(cell.content);
    at = cell.next;
    if (text[at] !== ',') return { cells, end: at };
    at++;
  }
}

function plainCell(text: string, start: number): { content: string; next: number } | undefined {
  let next = start;
  while (next < text.length && text[next] !== ',' && text[next] !== '\n') next++;
  let content = text.slice(start, next);
  if (content.includes('"')) return undefined;
  if (text[next] !== ',') content = content.replace(/\r$/, '');
  return { content, next };
}

function quotedCell(text: string, start: number): { content: string; next: number } | undefined {
  let content = '';
  let at = start;
  for (;;) {
    if (at >= text.length) return undefined;
    if (text[at] !== '"') content += text[at++];
    else if (text[at + 1] === '"') {
      content += '"';
      at += 2;
    } else break;
  }
  at++;
  if (text[at] === '\r' && (text[at + 1] === '\n' || at + 1 === text.length)) at++;
  else if (at < text.length && text[at] !== ',' && text[at] !== '\n') return undefined;
  return { content, next: at };
}
