// Makes a fresh clone ready: installs what package-lock.json says when that has not been done yet. Plain JavaScript without
// dependencies, since it runs before there are any.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const lock = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Millrace needs Node.js 20.19 or later; this is ${process.version}.`);
  process.exit(1);
}
if (!isInstalled()) {
  console.error('Installing dependencies (once) …');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** npm writes what it installed beside the packages: compare that with the lock, not dates, which a checkout changes. */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(lock, 'utf8')).packages;
    const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
    return Object.entries(wanted).every(([path, { version, optional, link }]) => {
      if (!path.includes('node_modules/')) return true;
      if (optional === true && present[path] === undefined) return true;
      if (link === true) return statSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
      return present[path]?.version === version;
    });
  } catch {
    return false;
  }
}
