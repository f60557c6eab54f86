import { dirname } from 'node:path';
import { stat } from 'node:fs/promises';
import { type ReadContext, type Source, defineSource } from '../operators/connector.ts';
import { type FileFormat, readFile } from './fileFormat.ts';
import { FILE_START, type FilePosition } from './filePosition.ts';
import { type FilePaths, isSingleFile, listFiles, notFound, pathList } from './fileSet.ts';
import { readFollowed } from './followedFile.ts';
import { lookUp, openFile } from './openFile.ts';
import { pause } from './pause.ts';
import { isRotated } from './rotation.ts';
import { type TextOptions, type TextSettings, textSettings } from './textOptions.ts';

/** A source of the records of files: each file is a split, and its position a byte between two records. */
export function fileSource<T>(paths: FilePaths, format: FileFormat<T>, options: TextOptions): Source<T> {
  const list = pathList(paths);
  const settings = textSettings(options);
  return defineSource<T, FilePosition>({
    name: `${format.name} ${list.join(', ')}`,
    bounded: !settings.follow,
    open: () => ({
      splits: (context) => (settings.follow && !context.bounded ? discover(list, settings, context) : allFiles(list, settings)),
      async *read(split, from, context) {
        if (settings.follow) yield* readFollowed(split, format, settings, from, context);
        else yield* readFile(await openFile(split), format, settings, from ?? FILE_START, context, async () => 'end');
      },
      size: async (split) => (await lookUp(split))?.size,
    }),
  });
}

async function allFiles(paths: readonly string[], settings: TextSettings): Promise<readonly string[]> {
  const { files, missing } = await listFiles(paths);
  if (missing.length > 0) throw await notFound(missing);
  return settings.follow ? withoutRotated(files) : files;
}

/** Files as they come. A single file is waited for by its reader, but the place where it will be has to be there. */
async function* discover(
  paths: readonly string[],
  settings: TextSettings,
  context: ReadContext,
): AsyncGenerator<readonly string[], void, undefined> {
  const single: string[] = [];
  for (const path of paths) {
    if (!(await isSingleFile(path))) continue;
    await stat(dirname(path)).catch(async () => Promise.reject(await notFound([path])));
    single.push(path);
  }
  if (single.length > 0) yield single;
  if (single.length === paths.length) return;
  const known = new Set(single);
  while (!context.signal.aborted) {
    const fresh = withoutRotated((await listFiles(paths)).files).filter((file) => !known.has(file));
    for (const file of fresh) known.add(file);
    if (fresh.length > 0) yield fresh;
    if (context.bounded) return;
    await pause(settings.discoverEvery, context.signal);
  }
}

/** The past of a file is not a file of its own: its reader knows it, and it changes its name with every rotation. */
function withoutRotated(files: readonly string[]): readonly string[] {
  return files.filter((path) => !files.some((current) => isRotated(path, current)));
}
