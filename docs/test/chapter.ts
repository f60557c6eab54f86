import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FencedBlock, fencedBlocks } from './fences.ts';
import { root, runModules, scratch } from './modules.ts';

/** A block that runs, and what it says it prints. */
export interface Snippet {
  readonly block: FencedBlock;
  /** The `text` block directly after it. */
  readonly output: FencedBlock | undefined;
}

/** What came of a snippet. */
export interface Outcome {
  readonly snippet: Snippet;
  readonly output: string;
  readonly error: string | undefined;
}

/**
 * A Markdown file whose blocks are run:
 *
 * - `ts` is a module, run in order of the file. A `text` block directly after it is its exact standard output.
 * - `ts no-run` is only compiled.
 * - `ts` that begins with a comment like `// payments.ts` is a file of that name, which others import or run.
 * - a second word with a dot, as in `csv payments.csv`, is a file of that name.
 * - `sh` that begins with `npx millrace` and has a `text` block directly after it is run.
 */
export class Chapter {
  readonly path: string;
  /** Where its files are, and where its snippets run. */
  readonly folder: string;
  readonly blocks: readonly FencedBlock[];
  /** Links to other files of the repository. */
  readonly links: readonly string[];
  readonly modules: readonly Snippet[];
  readonly commands: readonly Snippet[];

  constructor(path: string) {
    this.path = path;
    this.folder = join(scratch, 'guide', relative(root, path).replace(/\.md$/, '').replaceAll('/', '.'));
    const text = readFileSync(path, 'utf8');
    this.blocks = fencedBlocks(text);
    this.links = [...text.matchAll(/\]\(([^):#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!);
    const runnable = this.blocks.map((block, at): Snippet => {
      const next = this.blocks[at + 1];
      const output = next?.language === 'text' && next.note === '' && next.followsDirectly ? next : undefined;
      return { block, output };
    });
    this.modules = runnable.filter(({ block }) => block.language === 'ts' && block.note === '' && fileName(block) === undefined);
    this.commands = runnable.filter(({ block, output }) => block.code.startsWith('npx millrace') && output !== undefined);
  }

  /** For people: relative to the repository. */
  get name(): string {
    return relative(root, this.path);
  }

  /** Writes out every block that is code or a file. Lines keep their numbers, so that what compiler and runtime say fits the chapter. */
  extract(): void {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    for (const block of this.blocks) {
      const name = fileName(block) ?? (block.language === 'ts' ? moduleName(block) : undefined);
      if (name === undefined) continue;
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, block.language === 'ts' ? `${'\n'.repeat(block.line)}${block.code}\n` : `${block.code}\n`);
    }
  }

  /** Runs everything that runs. */
  async run(): Promise<readonly Outcome[]> {
    const ran = await runModules(
      this.modules.map(({ block }) => join(this.folder, moduleName(block))),
      this.folder,
    );
    const outcomes: Outcome[] = this.modules.map((snippet, at) => ({ snippet, ...ran[at]! }));
    for (const snippet of this.commands) outcomes.push({ snippet, ...(await runCommand(snippet.block.code, this.folder)) });
    return outcomes;
  }

  /** Replaces what the chapter says is printed by what is. */
  update(outcomes: readonly Outcome[]): void {
    const lines = readFileSync(this.path, 'utf8').split('\n');
    // From the end, so that lines before keep their numbers.
    for (const { snippet, output, error } of outcomes.toSorted((a, b) => b.snippet.block.line - a.snippet.block.line)) {
      if (error !== undefined || output === (snippet.output?.code ?? '')) continue;
      const printed = ['```text', ...output.split('\n'), '```'];
      if (snippet.output === undefined) lines.splice(snippet.block.end, 0, '', ...printed);
      else lines.splice(snippet.output.line - 1, snippet.output.end - snippet.output.line + 1, ...printed);
    }
    writeFileSync(this.path, lines.join('\n'));
  }
}

function moduleName({ line }: FencedBlock): string {
  return `line-${line}.ts`;
}

function fileName({ language, note, code }: FencedBlock): string | undefined {
  if (/^[\w/-]+\.[\w.]+$/.test(note)) return note;
  return language === 'ts' ? /^\/\/ ([\w/-]+\.ts)\n/.exec(code)?.[1] : undefined;
}

const millrace = fileURLToPath(new URL('../../core/bin/millrace.js', import.meta.url));

/** Runs the lines of a shell block with the command of this repository. What it says on standard error is for people at a terminal. */
function runCommand(code: string, cwd: string): Promise<Omit<Outcome, 'snippet'>> {
  const script = code.replaceAll('npx millrace', `'${process.execPath}' '${millrace}'`);
  return new Promise((resolve) => {
    execFile('sh', ['-c', script], { cwd, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ output: stdout.trimEnd(), error: error === null ? undefined : `${error.message}\n${stderr}` }),
    );
  });
}
