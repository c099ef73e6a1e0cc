import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** About 50 ms and 16 MiB a guess. The secrets of clients are random, unlike people's passwords. */
const COST = { N: 16_384, r: 8, p: 1 };
const BYTES = 32;

function derive(secret: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret.normalize('NFKC'), salt, BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** A salted hash of a secret: `scrypt$<salt>$<hash>`, both in base64url. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(16);
  return `scrypt$${salt.toString('base64url')}$${(await derive(secret, salt)).toString('base64url')}`;
}

/** Whether `hash` is of `secret`. Takes the same time whatever the answer is. */
export async function isSecretOf(hash: string, secret: string): Promise<boolean> {
  const [, salt = '', expected = ''] = hash.split('$');
  const wanted = Buffer.from(expected, 'base64url');
  const derived = await derive(secret, Buffer.from(salt, 'base64url'));
  return wanted.length === derived.length && timingSafeEqual(wanted, derived);
}
