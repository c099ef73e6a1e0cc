import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { readSettings, setting, SettingsError } from './index.ts';

const settings = {
  PORT: setting(z.coerce.number().int().min(0).max(65535).default(8080), { description: 'the port of the gateway' }),
  DATABASE_URL: setting(z.url(), { description: 'the PostgreSQL server', secret: true }),
  ETCD_ENDPOINTS: setting(z.url(), { description: 'etcd' }),
  VERBOSE: setting(z.stringbool().default(false), { description: 'whether to say more' }),
  NOTE: setting(z.string().optional(), { description: 'a note' }),
  API_KEY: setting(
    z.string().refine((key) => key.startsWith('key_'), { error: ({ input }) => `${String(input)} does not start with key_` }),
    { description: 'a key', secret: true },
  ),
};
const good = { DATABASE_URL: 'postgres://localhost/db', ETCD_ENDPOINTS: 'http://localhost:2379', API_KEY: 'key_1' };

function problemsOf(env: Record<string, string>): SettingsError {
  try {
    readSettings(settings, env);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was wrong' });
}

describe('readSettings', () => {
  it('reads typed values, with defaults, and takes empty variables for absent', () => {
    const read = readSettings(settings, { ...good, PORT: '', VERBOSE: 'true' });
    const port: number = read.PORT;
    const note: string | undefined = read.NOTE;
    assert.deepEqual({ ...read, port, note }, { ...good, PORT: 8080, VERBOSE: true, NOTE: undefined, port: 8080, note: undefined });
    assert.equal(readSettings(settings, { ...good, PORT: '9000' }).PORT, 9000);
  });

  it('reports all mistakes at once, one line each, with what is expected', () => {
    const error = problemsOf({ PORT: 'http', VERBOSE: 'perhaps', API_KEY: 'key_1', DATABASE_URL: good.DATABASE_URL });
    assert.deepEqual(error.problems.map(({ name }) => name), ['PORT', 'ETCD_ENDPOINTS', 'VERBOSE']);
    const [heading, ...lines] = error.message.split('\n');
    assert.equal(heading, '3 settings are wrong:');
    assert.equal(lines.length, 3);
    assert.match(lines[0] ?? '', /^ {2}PORT is "http": expected number, received NaN \(the port of the gateway; default 8080\)$/);
    assert.match(lines[1] ?? '', /^ {2}ETCD_ENDPOINTS is missing: .+ \(etcd\)$/);
    assert.match(lines[2] ?? '', /^ {2}VERBOSE is "perhaps": .+ \(whether to say more; default false\)$/);
  });

  it('never shows a secret, nor credentials in an address', () => {
    const { message } = problemsOf({ DATABASE_URL: 'hunter2', API_KEY: 'hunter3', ETCD_ENDPOINTS: 'not a url//user:hunter4@host' });
    assert.doesNotMatch(message, /hunter/);
    assert.match(message, /DATABASE_URL has a wrong value \(a secret, not shown\)/);
    assert.match(message, /API_KEY .*\[secret\] does not start with key_/);
  });
});
