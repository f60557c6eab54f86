import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteDatabase } from '../src/node/sqliteDatabase.ts';

/** What ends the name of a database among the directories of rolling files. */
export const DATABASE = '.db';

/** All lines that a job has made visible, each behind the name of its sink. */
export async function outputIn(folder: string): Promise<string[]> {
  const lines: string[] = [];
  for (const name of namesIn(folder)) {
    if (name.endsWith(DATABASE)) lines.push(...(await rowsOf(join(folder, name), name.slice(0, -DATABASE.length))));
    else if (!name.includes(DATABASE)) lines.push(...filesOf(join(folder, name)).map((line) => normal(`${name} ${line}`)));
  }
  return lines;
}

function filesOf(folder: string): string[] {
  const files = namesIn(folder).filter((file) => !file.startsWith('.'));
  return files.flatMap((file) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'));
}

async function rowsOf(path: string, sink: string): Promise<string[]> {
  const database = await SqliteDatabase.open(path);
  try {
    const isThere = database.statement("SELECT 1 FROM sqlite_master WHERE name = 'lines'").get([]) !== undefined;
    return isThere
      ? database
          .statement('SELECT line FROM lines')
          .all([])
          .map(({ line }) => normal(`${sink} ${String(line)}`))
      : [];
  } finally {
    await database.close();
  }
}

/** Lines say the same however their fields stand. */
export function normal(line: string): string {
  const space = line.indexOf(' ');
  const value = JSON.parse(line.slice(space + 1)) as Record<string, unknown>;
  const sorted = Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${line.slice(0, space)} ${JSON.stringify(sorted)}`;
}

/** What is in a directory, in order; nothing where it is not there. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}
