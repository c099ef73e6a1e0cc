export { startPostgres, type PostgresOptions, type PostgresServer } from './server.ts';
