import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger, LOG_FORMATS } from '../index.ts';
import { isSecretKey, redactText } from './secrets.ts';

function written(message: string, fields: Record<string, unknown>): string {
  const lines: string[] = [];
  for (const format of LOG_FORMATS) createLogger({ format, destination: { write: (line) => void lines.push(line) } }).with(fields).info(message, fields);
  return lines.join('');
}

describe('secrets', () => {
  it('are known by the names of their keys', () => {
    const secret = [
      'authorization', 'Authorization', 'PROXY-AUTHORIZATION', 'cookie', 'set-cookie', 'Set_Cookie', 'setCookie', 'password', 'dbPassword', 'password_hash', 'PGPASSWORD', 'secret', 'client_secret', 'clientSecret',
      'token', 'access_token', 'access-token', 'accessToken', 'refresh_token', 'id_token', 'passport', 'api_key', 'apiKey', 'X-API-Key', 'private_key', 'privateKey', 'x-talaria-passport', 'X-Talaria-Caller',
      'x_talaria_anything', 'aws.secret-access-key', 'apiKeys', 'privateKeys', 'private_keys', 'passphrases', 'jwts', 'tokens', 'secrets', 'passwords', 'auth', 'basicAuth', 'sessionId', 'session_id', 'session-ids',
    ];
    const open = ['key', 'name', 'author', 'token_type', 'page_token', 'next_page_token', 'nextPageToken', 'secretary', 'status', 'contract', 'trace_id', 'request_id', 'account_id', 'url', 'talaria', 'authenticated', 'authority', 'oauth', 'sessions', 'session', 'pageTokens', 'keys', 'tokenizer', 'author_id'];
    assert.deepEqual([secret.filter((key) => !isSecretKey(key)), open.filter((key) => isSecretKey(key))], [[], []]);
  });

  it('are not written, at any depth and in whatever holds them', () => {
    const leaf = { 'Set-Cookie': 's3cret', token: ['s3cret'], password: { is: 's3cret' }, secret: 31337n };
    const values = {
      deep: { a: [{ b: { c: { d: { e: [leaf] } } } }] },
      map: new Map<string, unknown>([['authorization', 's3cret'], ['inner', leaf]]),
      headers: new Headers({ cookie: 's3cret' }),
      flat: ['Authorization', 's3cret', 'Accept', '*/*'],
      pairs: [['x-talaria-passport', 's3cret']],
      json: { toJSON: () => leaf },
      jwk: { kty: 'OKP', crv: 'Ed25519', x: 'public', d: 's3cret' },
      url: new URL('https://user:s3cret@example.com/path'),
      err: new Error('outer', { cause: Object.assign(new AggregateError([Object.assign(new Error('x'), leaf)], 'postgres://me:s3cret@db/x'), { config: { headers: leaf } }) }),
    };
    Object.assign(values, {
      apiKeys: ['s3cret'], privateKeys: { a: 's3cret' }, passphrases: 's3cret', jwts: ['s3cret'], auth: { user: 'x', pass: 's3cret' }, sessionId: 's3cret', session_id: 's3cret', pin: { secret: 31337 },
      namedPairs: [['password', 's3cret'], ['name', 'Ann']], argv: ['psql', '--password', 's3cret', '--api-key', 's3cret', '--host', 'db.example'], args: new Set(['-token', 's3cret']), row: ['user', 'bob', 'db_password', 's3cret'],
    });
    const text = written('connecting to postgres://me:s3cret@db:5432/x', values);
    assert.doesNotMatch(text, /s3cret|31337/);
    for (const kept of ['*/*', 'Ed25519', 'db:5432/x', 'example.com/path', 'Ann', 'db.example', 'bob']) assert.ok(text.includes(kept), kept);
  });

  it('are not taken for what only counts them, or says whether there are any', () => {
    const fields = { tokens: 12, secrets: 3n, passwords: false, token: true, secret: null, author: 'Ann', authenticated: true, sessions: 3, items: ['password', 3, ['tokens', 7], 'the password', 'is long'] };
    const lines: string[] = [];
    createLogger({ format: 'json', destination: { write: (line) => void lines.push(line) } }).info('m', fields);
    const { time: _time, level: _level, msg: _msg, ...found } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.deepEqual(found, { ...fields, secrets: '3', items: ['password', '[redacted]', ['tokens', 7], 'the password', 'is long'] });
  });

  it('are known by their looks inside texts', () => {
    const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJzM2NyZXQifQ.c2lnbmF0dXJl';
    const cases: [string, string][] = [
      ['postgres://user:pw@host/db', 'postgres://[redacted]@host/db'],
      ['amqp://user:p@ss/w@host', 'amqp://[redacted]@host'],
      ['redis://:pw@host:6379 and nats://token@host', 'redis://[redacted]@host:6379 and nats://[redacted]@host'],
      ['Bearer abc123def456', 'Bearer [redacted]'],
      ['bearer s3cret', 'bearer [redacted]'],
      ['{"kty":"OKP","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}', '{"kty":"OKP","d":"[redacted]"}'],
      ['Basic dXNlcjpwYXNz', 'Basic [redacted]'],
      [`refused: ${jwt}`, 'refused: [redacted]'],
      ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', 'whsec_[redacted]'],
      ['GET /cb?code=1&access_token=abc&x=y', 'GET /cb?code=1&access_token=[redacted]&x=y'],
      ['{"client_secret":"a b","name":"c"}', '{"client_secret":[redacted],"name":"c"}'],
      ['x-api-key: hunter2 api_key: "hunter2" token: hunter2', 'x-api-key: [redacted] api_key: "[redacted]" token: [redacted]'],
      ['password = hunter2', 'password = [redacted]'],
      ['authorization: Basic dXNlcjpwYXNz\nhost: x', 'authorization: [redacted]\nhost: x'],
      ['psql --password hunter2 --host x', 'psql --password [redacted] --host x'],
      ['run --db-password "a b" -v', 'run --db-password [redacted] -v'],
      ["x --api-key 'a b' --token=abc --client-secret  abc", 'x --api-key [redacted] --token=[redacted] --client-secret  [redacted]'],
      [`[ '--password', 'a b' ] ["--password","a b"]`, `[ '--password', [redacted] ] ["--password",[redacted]]`],
      ['token: abcdefghijk', 'token: [redacted]'],
      ['refused token: abcdefghijk, retrying', 'refused token: [redacted], retrying'],
      ['token: AbCdEfGhIjK was refused', 'token: [redacted] was refused'],
      ["secret: 'abc'", "secret: '[redacted]'"],
      ['secret: "correct horse", x', 'secret: "[redacted]", x'],
      ['password: "correct horse" x', 'password: "[redacted]" x'],
      ['password: "cut', 'password: "[redacted]'],
      ['Password=foo bar;', 'Password=[redacted];'],
      ['Server=db;User=sa;Password=foo bar;Encrypt=true', 'Server=db;User=sa;Password=[redacted];Encrypt=true'],
      ["Server=db; Pwd=foo 'bar", 'Server=db; Pwd=[redacted]'],
      ['password="foo; bar" x; y', 'password=[redacted] x; y'],
      ['password=foo bar', 'password=[redacted] bar'],
      ['session_id=abc123 sessionId: abc123', 'session_id=[redacted] sessionId: [redacted]'],
      ['-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n', '[redacted]\n'],
    ];
    for (const [text, wanted] of cases) assert.equal(redactText(text), wanted);
    const open = [
      'h2c://127.0.0.1:41234 serves a@b.example', 'http://localhost:8080/users/a@b.example', 'http://[::1]:8080/a@b', 'Unexpected token } in JSON', 'Unexpected token: comma', "Unexpected token: '}'", 'Unexpected token: "foo"',
      'secret: must be longer', 'a basic authentication', 'send a Bearer token', 'bearer authentication is needed', 'the secret is missing', 'the token is expired', 'author: Ann', 'authenticated: true', 'authority=a.example',
      'sessions: 3', 'secret rotation finished', 'tokens: 12', 'tokens=12', 'invalid token: unsupported algorithm', 'invalid token: malformed', 'token: unavailable', 'pass --token to sign in', 'option --password is required', '--password --verbose',
      'session: closed; next', 'page_token: abcdefghijk',
    ];
    assert.deepEqual(open.map(redactText), open);
  });

  it('are looked for in linear time: what is quadratic would take minutes here', () => {
    for (const part of ['://a:', 'Bearer ', 'password=', 'eyJaaaaaaaa.', '"password" : "\\', '-----BEGIN PRIVATE KEY-----', 'x-talaria-', ' = ', 'authorization: ', '--password ', '--', 'token: ', 'token: \'', 'secret: "', 'password: "', 'password: \'', 'Password=a ', ';pwd=', 'password=a;', 'token: abcdefghijk']) {
      assert.equal(typeof redactText(part.repeat(1_000_000 / part.length)), 'string');
    }
  });
});
