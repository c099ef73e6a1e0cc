import ts from 'typescript';
import type { Forms } from '../naming/names.ts';
import { parse } from '../typescript/source.ts';

/** What the templates of a checker are filled with. */
export interface CheckerContext {
  readonly forms: Forms;
  /** Whether the instance gets no calls while it fails. */
  readonly critical: boolean;
  /** The service's name. */
  readonly service: string;
}

const critical = (context: CheckerContext): string => (context.critical ? '\n    critical: true,' : '');

/** What a service keeps, and the files that say so, as a file in `src/logic` imports them. */
export interface Kept {
  /** Where the interface `Tables` is. */
  readonly tables: string;
  /** The first of them; undefined if there is none yet. */
  readonly first: string | undefined;
  readonly migrations: string;
}

/** The tables of a file that has the interface `Tables`. */
export function tablesIn(text: string): readonly string[] | undefined {
  const tables = parse(text).statements.find((each): each is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(each) && each.name.text === 'Tables');
  return tables?.members.flatMap(({ name }) => (name && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? [name.text] : []));
}

/** What the client must be allowed to get there. A name that belongs to one network only leads to private addresses. */
function reach(url: string): string {
  const { hostname } = new URL(url);
  if (/(^|\.)localhost$|^127\.|^\[::1\]$/.test(hostname)) return '{ allowLoopback: true }';
  const isPrivate = /^[^.[]+$|\.(cluster\.local|home\.arpa|internal|lan|local|svc)$|^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$|^\[f[cd]/;
  return isPrivate.test(hostname) ? '{ allowPrivate: true }' : '{}';
}

/** `src/logic/…-checker.ts` of one that asks over HTTP. */
export function httpChecker(context: CheckerContext, url: string): string {
  const { forms } = context;
  return `import { httpClient, type HttpClientOptions } from '@talaria/http';
import { type Capability } from '@talaria/service';

const DEFAULT_URL = '${url}';

/**
 * Tells whether what ${forms.words} stands for is well: it is while \`url\` answers with a status of 2xx. A capability, as it has
 * connections: they log as the service does, reach only the addresses that \`options\` allow, and are closed with it.
 */
export function ${forms.camel}Checker(url: string = DEFAULT_URL, options: HttpClientOptions = ${reach(url)}): Capability {
  const http = httpClient(options);
  return {
    name: '${forms.kebab}',
    start: (host, signal) => http.start(host, signal),
    stop: () => http.stop(),
    checkers: [
      {
        name: '${forms.kebab}',${context.critical ? '\n        critical: true,' : ''}
        async check(signal) {
          const { status } = await http.request({ url, signal });
          if (status < 200 || status > 299) throw new Error(\`\${url} answered \${status}\`);
          return { status };
        },
      },
    ],
  };
}
`;
}

/** Its test. */
export function httpCheckerTest({ forms }: CheckerContext): string {
  return `import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ${forms.camel}Checker } from './${forms.kebab}-checker.ts';

test('is well while it is answered with 2xx, and in time', async (t) => {
  let status: number | undefined = 200;
  const server = createServer((_request, response) => {
    if (status !== undefined) response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const capability = ${forms.camel}Checker(\`http://127.0.0.1:\${(server.address() as AddressInfo).port}/\`, { allowLoopback: true });
  t.after(async () => {
    await capability.stop();
    server.close();
    server.closeAllConnections();
  });
  const [checker] = capability.checkers;
  assert.ok(checker);
  const inTime = AbortSignal.timeout(60_000);
  assert.equal(checker.name, '${forms.kebab}');
  assert.deepEqual(await checker.check(inTime), { status: 200 });
  status = 503;
  await assert.rejects(async () => checker.check(inTime), /answered 503/);
  status = undefined;
  const tooLong = new AbortController();
  const hanging = assert.rejects(async () => checker.check(tooLong.signal), { code: 'cancelled.http' });
  tooLong.abort();
  await hanging;
});
`;
}

/** `src/logic/…-checker.ts` of one that asks the service's own database. */
export function storageChecker(context: CheckerContext, { tables, first: table }: Kept): string {
  const { forms } = context;
  const question = table === undefined ? 'sql`select 1`' : `sql\`select 1 from \${sql.table('${table}')} limit 1\``;
  return `import { runInCall, type Checker } from '@talaria/service';
import { sql, type Postgres } from '@talaria/storage';
import { type Tables } from '${tables}';

/** Tells whether ${table === undefined ? 'the database answers' : `\`${table}\` can be read`}: ask here what ${forms.words} needs, and throw when it is not well. */
export function ${forms.camel}Checker(storage: Pick<Postgres<Tables>, 'db'>): Checker {
  return {
    name: '${forms.kebab}',${critical(context)}
    async check(signal) {
      // As a call of its own, so that the query ends on the server when the check takes too long.
      const { rows } = await runInCall({ signal }, () => ${question}.execute(storage.db));
      return { rows: rows.length };
    },
  };
}
`;
}

/** Its test. */
export function storageCheckerTest({ forms, service }: CheckerContext, { tables, first, migrations }: Kept): string {
  const broken = first === undefined ? '  await db.stop();\n  stopped = true;\n' : `  await sql\`drop table \${sql.table('${first}')} cascade\`.execute(db.db);\n`;
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@talaria/service';
import { postgres${first === undefined ? '' : ', sql'} } from '@talaria/storage';
import { testDatabase } from '@talaria/testing';
import { migrations } from '${migrations}';
import { type Tables } from '${tables}';
import { ${forms.camel}Checker } from './${forms.kebab}-checker.ts';

test('is well while it gets its answer', async (t) => {
  const database = await testDatabase();
  const db = postgres<Tables>({ migrations });
  ${first === undefined ? 'let stopped = false;\n  ' : ''}t.after(async () => {
    ${first === undefined ? 'if (!stopped) ' : ''}await db.stop();
    await database.close();
  });
  await db.start({ service: '${service}', instance: 'inst_1', log: silentLogger, env: { DATABASE_URL: database.url } }, AbortSignal.timeout(60_000));
  const checker = ${forms.camel}Checker(db);
  const inTime = AbortSignal.timeout(60_000);
  assert.equal(checker.name, '${forms.kebab}');
  assert.equal(typeof (await checker.check(inTime))['rows'], 'number');
${broken}  await assert.rejects(async () => checker.check(inTime));
});
`;
}
