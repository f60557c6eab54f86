// Imports the modules that are named, one after the other, and marks on standard output where each one ends.
import { pathToFileURL } from 'node:url';

for (const file of process.argv.slice(2)) {
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    process.send({ file, error: error instanceof Error ? error.stack : String(error) });
  }
  await new Promise((resolve) => process.stdout.write(process.env.MARK, resolve));
}
process.disconnect();
