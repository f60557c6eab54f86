/** A fenced block of a Markdown file. Lines count from 1. */
export interface FencedBlock {
  /** The first word after the fence: `ts`, `sh`, `text`. */
  readonly language: string;
  /** What follows it, such as `no-run` or a file's name. */
  readonly note: string;
  readonly code: string;
  /** The line of the opening fence. */
  readonly line: number;
  /** The line of the closing fence. */
  readonly end: number;
  /** Whether nothing but blank lines stands between the block before and this one. */
  readonly followsDirectly: boolean;
}

/** The fenced blocks of a Markdown text, in order. */
export function fencedBlocks(markdown: string): readonly FencedBlock[] {
  const blocks: FencedBlock[] = [];
  const lines = markdown.split('\n');
  let proseBefore = true;
  for (let at = 0; at < lines.length; at++) {
    const opening = /^```(\w+)?\s*(.*)$/.exec(lines[at]!);
    if (opening === null) {
      if (lines[at]!.trim() !== '') proseBefore = true;
      continue;
    }
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`The block that begins in line ${at + 1} has no end.`);
    const [, language = '', note = ''] = opening;
    const code = lines.slice(at + 1, end).join('\n');
    blocks.push({ language, note: note.trim(), code, line: at + 1, end: end + 1, followsDirectly: !proseBefore });
    proseBefore = false;
    at = end;
  }
  return blocks;
}
