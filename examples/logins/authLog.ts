import { existsSync } from 'node:fs';
import { MillraceError, type Source } from '@millrace/core';
import { textFile } from '@millrace/core/node';

/** Where Debian and its relatives keep what sshd says. */
export const SYSTEM_LOG = '/var/log/auth.log';

/** The lines of a log. Where the system's own is wanted and there is none, it says how to give another. */
export function authLog(path: string): Source<string> {
  const file = textFile(path);
  const { definition } = file;
  return { ...file, definition: { ...definition, open: () => (checkSystemLog(path), definition.open()) } };
}

function checkSystemLog(path: string): void {
  if (path !== SYSTEM_LOG || existsSync(path)) return;
  throw new MillraceError('source/not-found', `This system has no ${SYSTEM_LOG}.`, {
    remedy: 'Give a log with --input FILE; where there is only the journal, `journalctl -t sshd > sshd.log` makes one.',
  });
}
