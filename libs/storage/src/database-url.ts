const FIX = 'such as postgres://user:password@localhost:5432 (each service then makes a database of its own) or …:5432/name (exactly that one)';

/** Where a database is. */
export interface DatabaseUrl {
  /** With the name of the database. */
  readonly url: string;
  readonly database: string;
  /** Whether it may be made: the setting named only a server. */
  readonly create: boolean;
}

/** `service.account` as the name of a database: `service_account`. */
function nameFor(service: string): string {
  return service.replaceAll(/[^A-Za-z0-9]+/g, '_').toLowerCase().slice(0, 63);
}

/**
 * What a setting such as `DATABASE_URL` means: with the name of a database exactly that one, else a server on which the one
 * called `fallback` is made and used. Throws one sentence that names the fix, without the password.
 */
export function databaseUrl(setting: string, value: string | undefined, fallback: string): DatabaseUrl {
  if (value === undefined || value.trim() === '') {
    throw new Error(`${setting} is not set: set it to a PostgreSQL server, ${FIX}, or run the service with nx serve, which starts one.`);
  }
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw new Error(`${setting} is not a URL: set it to a PostgreSQL server, ${FIX}.`);
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw new Error(`${setting} begins with ${url.protocol}//: set it to a PostgreSQL server, ${FIX}.`);
  }
  const named = decodeURIComponent(url.pathname.replace(/^\//, ''));
  const database = named || nameFor(fallback);
  url.pathname = `/${encodeURIComponent(database)}`;
  return { url: url.href, database, create: named === '' };
}

/** Another database of the same server. */
export function sibling(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}
