import { extname } from 'node:path';
import { MillraceError } from '../errors/millraceError.ts';

/**
 * Makes a module importable if it is TypeScript: with the optional package tsx where it is installed, else as Node does it itself, if it does.
 *
 * @param load - loads tsx.
 * @throws MillraceError `package/missing`
 */
export async function prepareTypeScript(path: string, load: () => Promise<unknown>): Promise<void> {
  if (!['.ts', '.mts'].includes(extname(path))) return;
  try {
    await load();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    // Since Node 22.18.
    if ((process.features as { readonly typescript?: unknown }).typescript) return;
    throw new MillraceError('package/missing', `${path} is TypeScript, which needs the package "tsx".`, {
      remedy: 'Install it: npm install --save-dev tsx. Or compile the module and run the JavaScript.',
      cause,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
