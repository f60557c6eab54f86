/** Writing to SQLite databases. Needs the optional package `libsql`. */
export { sqliteSink } from './node/sqliteSink.ts';
export type { SqliteSinkOptions } from './node/sqliteSink.ts';
export type { TableOptions } from './node/sinkTable.ts';
