// For services.
export { isUniqueViolation } from './database-error.ts';
export { postgres, type Postgres, type PostgresOptions } from './postgres.ts';
export { type Migration, type Migrations } from './migrations.ts';
export { sql, type ColumnType, type Generated, type Insertable, type Kysely, type Selectable, type Updateable } from 'kysely';

// For other libraries.
export { isTransient } from './database-error.ts';
export { databaseUrl } from './database-url.ts';
export { untilReachable } from './until-reachable.ts';
