/** The command line, for `bin/millrace.js`. No entry of the package: scripts use `@millrace/core`. */
export { main } from './cli/main.ts';
