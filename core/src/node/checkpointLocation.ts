import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { CheckpointStorage } from '../checkpoint/storage.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { directory } from './directory.ts';
import { s3, type S3Options } from './s3.ts';

/** A checkpoint location as it is written on a command line. */
export interface CheckpointLocation {
  readonly storage: CheckpointStorage;
  /** The directory, where it is one. */
  readonly path: string | undefined;
  /** The name of the manifest, where one of the location's checkpoints is meant. */
  readonly manifest: string | undefined;
}

const MANIFEST = /^manifests\/[^/]+\.json$/;

/**
 * Reads `DIR`, `DIR/manifests/….json`, `s3://bucket/prefix` and `s3://bucket/prefix/manifests/….json`. An address of an object store may
 * end with `?endpoint=…&region=…&path-style=true`.
 *
 * @throws MillraceError `cli/usage`
 */
export async function parseLocation(text: string): Promise<CheckpointLocation> {
  if (/^[a-z][\w+.-]+:\/\//i.test(text)) return parseUrl(text);
  const path = resolve(text);
  const parent = dirname(path);
  const isManifest = MANIFEST.test(`${basename(parent)}/${basename(path)}`);
  if (isManifest) return { storage: directory(dirname(parent)), path: dirname(parent), manifest: `${basename(parent)}/${basename(path)}` };
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return { storage: directory(path), path, manifest: undefined };
  throw new MillraceError('cli/usage', `${text} is a file.`, {
    remedy: `Name a directory with checkpoints, or one of them: ${join('DIR', 'manifests', 'NAME.json')}.`,
  });
}

function parseUrl(text: string): CheckpointLocation {
  const { protocol, host, pathname, searchParams } = urlOf(text);
  if (protocol !== 's3:') {
    throw new MillraceError('cli/usage', `Checkpoints cannot be in ${protocol}//.`, { remedy: 'Give a directory, or s3://BUCKET/PREFIX.' });
  }
  if (host === '') throw new MillraceError('cli/usage', `${text} names no bucket.`, { remedy: 'Write s3://BUCKET/PREFIX.' });
  const parts = decodedPath(pathname, text)
    .split('/')
    .filter((part) => part !== '');
  const manifest = parts.slice(-2).join('/');
  const isManifest = MANIFEST.test(manifest);
  const prefix = (isManifest ? parts.slice(0, -2) : parts).join('/');
  return {
    storage: s3({ bucket: host, prefix, ...optionsOf(searchParams) }),
    path: undefined,
    manifest: isManifest ? manifest : undefined,
  };
}

function urlOf(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw notAnAddress(text, cause);
  }
}

function decodedPath(path: string, text: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw notAnAddress(text, cause);
  }
}

function notAnAddress(text: string, cause: unknown): MillraceError {
  return new MillraceError('cli/usage', `${text} is no address.`, { remedy: 'Write s3://BUCKET/PREFIX, with %20 for a space.', cause });
}

function optionsOf(parameters: URLSearchParams): Partial<S3Options> {
  const known = ['endpoint', 'region', 'path-style'];
  const unknown = [...parameters.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new MillraceError('cli/usage', `"${unknown}" is no option of an object store.`, { remedy: `There are ${known.join(', ')}.` });
  }
  const [endpoint, region, pathStyle] = known.map((name) => parameters.get(name) ?? undefined);
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(pathStyle !== undefined && { pathStyle: pathStyle !== 'false' }),
  };
}
