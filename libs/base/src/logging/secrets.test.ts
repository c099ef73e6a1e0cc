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
      'x_talaria_anything', 'aws.secret-access-key',
    ];
    const open = ['key', 'name', 'author', 'token_type', 'page_token', 'next_page_token', 'nextPageToken', 'secretary', 'status', 'contract', 'trace_id', 'request_id', 'account_id', 'url', 'talaria'];
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
    const text = written('connecting to postgres://me:s3cret@db:5432/x', values);
    assert.doesNotMatch(text, /s3cret|31337/);
    for (const kept of ['*/*', 'Ed25519', 'db:5432/x', 'example.com/path']) assert.ok(text.includes(kept), kept);
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
      ['-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n', '[redacted]\n'],
    ];
    for (const [text, wanted] of cases) assert.equal(redactText(text), wanted);
    for (const text of ['h2c://127.0.0.1:41234 serves a@b.example', 'http://localhost:8080/users/a@b.example', 'http://[::1]:8080/a@b', 'Unexpected token } in JSON', 'Unexpected token: comma', 'secret: must be longer', 'a basic authentication', 'send a Bearer token', 'bearer authentication is needed', 'the secret is missing']) assert.equal(redactText(text), text);
  });

  it('are looked for in linear time: what is quadratic would take minutes here', () => {
    for (const part of ['://a:', 'Bearer ', 'password=', 'eyJaaaaaaaa.', '"password" : "\\', '-----BEGIN PRIVATE KEY-----', 'x-talaria-', ' = ', 'authorization: ']) {
      assert.equal(typeof redactText(part.repeat(1_000_000 / part.length)), 'string');
    }
  });
});
