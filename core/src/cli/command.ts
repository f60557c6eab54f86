import type { ExitCode } from './exitCode.ts';
import type { Flag } from './flag.ts';
import type { ParsedFlags } from './flagParser.ts';

/** What the process is like that the command runs in. */
export interface CommandHost {
  /** Makes TypeScript importable; rejects where the package for it is not installed. */
  readonly loadTypeScript: () => Promise<unknown>;
}

/** What stands behind `millrace NAME`. */
export interface Command {
  readonly flags: readonly Flag[];
  readonly help: string;
  /** `jobArgs`: what stands behind `--`; `undefined` without one. */
  readonly run: (parsed: ParsedFlags, jobArgs: readonly string[] | undefined, host: CommandHost) => Promise<ExitCode>;
}

/** Writes something that was asked for. */
export function print(text: string): void {
  process.stdout.write(text);
}
