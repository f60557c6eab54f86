/** Everything that touches `node:`. The root entry stays platform-free. */
export { csvFile } from './node/csvFile.ts';
export type { CsvOptions, TextInput } from './node/csvFile.ts';
export { csvSink } from './node/csvSink.ts';
export { deadLetterFile } from './node/deadLetterFile.ts';
export type { CsvSinkOptions } from './node/csvSink.ts';
export { directory } from './node/directory.ts';
export type { FilePaths } from './node/fileSet.ts';
export { jsonLines } from './node/jsonLines.ts';
export { jsonLinesSink } from './node/jsonLinesSink.ts';
export { textFile } from './node/textFile.ts';
export type { TextOptions } from './node/textOptions.ts';
export type { TextSinkOptions } from './node/textSink.ts';
