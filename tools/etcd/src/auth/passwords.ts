import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Node's defaults for scrypt, some 50 ms of work, written into each hash so that they may grow. */
const COST = { N: 16_384, r: 8, p: 1 };

function derive(password: string, salt: Buffer, bytes: number, cost: typeof COST): Promise<Buffer> {
  // Four times the memory that these parameters take, because scrypt refuses its own limit exactly.
  const options = { ...cost, maxmem: 512 * cost.N * cost.r };
  return new Promise((resolve, reject) => scrypt(password, salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key))));
}

/** Hashes a password for keeping. Off the main thread, so that other requests go on. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, HASH_BYTES, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), hash.toString('base64')].join('$');
}

/** Whether the password is the one that was hashed. */
export async function isPassword(password: string, hashed: string): Promise<boolean> {
  const [kind, N, r, p, salt = '', hash = ''] = hashed.split('$');
  if (kind !== 'scrypt') return false;
  const expected = Buffer.from(hash, 'base64');
  const found = await derive(password, Buffer.from(salt, 'base64'), expected.length, { N: Number(N), r: Number(r), p: Number(p) });
  return timingSafeEqual(found, expected);
}
