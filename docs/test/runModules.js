// Imports the modules that are named, one after the other, and marks on standard output where each one ends.
import { pathToFileURL } from 'node:url';

/** How long a module may take, in ms. */
const PATIENCE = 10_000;

let hangs = false;

for (const file of process.argv.slice(2)) {
  try {
    await ended(import(pathToFileURL(file).href));
  } catch (error) {
    process.send({ file, error: error instanceof Error ? error.stack : String(error) });
  }
  await new Promise((resolve) => process.stdout.write(process.env.MARK, resolve));
}
process.disconnect();
// A module that hangs was told; one that leaves something open shows by a process that does not end.
if (hangs) process.exit(0);

function ended(running) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      hangs = true;
      reject(new Error(`It did not end within ${PATIENCE} ms.`));
    }, PATIENCE);
    running.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
