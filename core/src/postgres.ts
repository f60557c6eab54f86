/** Writing to PostgreSQL. Needs the optional package `pg`. */
export { postgresSink } from './node/postgresSink.ts';
export type { PostgresSinkOptions } from './node/postgresSink.ts';
export type { PostgresConnection } from './node/postgresSession.ts';
export type { TableOptions } from './node/sinkTable.ts';
