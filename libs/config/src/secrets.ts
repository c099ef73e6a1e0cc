import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SettingsError } from './read-settings.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
/** NIST SP 800-38D: 96 bits are what GCM is made for; random ones are safe for 2^32 values of one key. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[\w.-]{1,64}$/;
const VARIABLE = 'TALARIA_CONFIG_KEYS';

/** A secret as it stands in etcd: AES-256-GCM over the UTF-8 JSON of the value; `data` is the ciphertext with the tag behind it. */
export interface SealedSecret {
  readonly $secret: {
    /** The id of the key that it is encrypted with. */
    readonly key: string;
    /** 12 bytes, base64. */
    readonly iv: string;
    /** Base64. */
    readonly data: string;
  };
}

/** Where a secret stands; it can be opened nowhere else. */
export interface SecretPlace {
  /** Such as `default`. */
  readonly namespace: string;
  /** Such as `service/service.account`. */
  readonly target: string;
  /** Such as `mail.password`, without the `~` of a temporary value. */
  readonly name: string;
}

/** The keys that encrypt the secrets of configuration. Their bytes never leave it. */
export interface ConfigKeyring {
  /** The ids of the keys; the first encrypts. Empty: there are none. */
  readonly ids: readonly string[];
  /** Encrypts a value of JSON with the first key. Throws an `Error` that names the fix when there is no key. */
  seal(value: unknown, place: SecretPlace): SealedSecret;
  /** The value of a secret. Throws an `Error` that names the fix, and shows nothing, if its key is missing or it was changed or moved. */
  open(sealed: SealedSecret, place: SecretPlace): unknown;
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** Whether a value of JSON is an encrypted secret. */
export function isSealed(value: unknown): value is SealedSecret {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== '$secret') return false;
  const { $secret: inner } = value as { readonly $secret: unknown };
  if (typeof inner !== 'object' || inner === null) return false;
  const { key, iv, data } = inner as Partial<Record<string, unknown>>;
  return isText(key) && isText(iv) && isText(data);
}

/** What a secret is bound to: GCM's additional data. */
const associated = ({ namespace, target, name }: SecretPlace): Buffer => Buffer.from(`${namespace}/${target}/${name}`);

function parseKeys(text: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  const wrong = (what: string): never => {
    throw new SettingsError([{ name: VARIABLE, message: `has a wrong value (a secret, not shown): ${what}; use id:base64 of 32 random bytes, several with "," between them, such as "k1:$(openssl rand -base64 32)"` }]);
  };
  for (const [at, part] of text.trim().split(',').entries()) {
    const [, id = '', encoded = ''] = /^([^:]*):(.*)$/s.exec(part.trim()) ?? [];
    const which = `key ${at + 1}`;
    if (!KEY_ID.test(id)) wrong(`${which} has no id of letters, digits, ".", "_" and "-"`);
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded) || Buffer.from(encoded, 'base64').length !== KEY_BYTES) wrong(`${which} is not the base64 of ${KEY_BYTES} bytes`);
    if (keys.has(id)) wrong(`two keys have the id of ${which}`);
    keys.set(id, Buffer.from(encoded, 'base64'));
  }
  return keys;
}

/**
 * The keys in TALARIA_CONFIG_KEYS, `id:base64(32 bytes)[,…]`: the first encrypts, all decrypt. Without the variable there are none.
 * Throws a `SettingsError`, which shows nothing of them, for one that is malformed.
 */
export function keyringOf(env: Readonly<Record<string, string | undefined>>): ConfigKeyring {
  const text = env[VARIABLE]?.trim();
  const keys = text ? parseKeys(text) : new Map<string, Buffer>();
  const ids = [...keys.keys()];
  return {
    ids,
    seal(value, place) {
      const json = JSON.stringify(value) as string | undefined;
      if (json === undefined) throw new Error('What is no JSON cannot be encrypted.');
      const [id] = ids;
      const key = id === undefined ? undefined : keys.get(id);
      if (id === undefined || key === undefined) throw new Error(`A secret cannot be encrypted without a key: set ${VARIABLE} to "k1:<base64 of 32 random bytes>", the same as for the services.`);
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES }).setAAD(associated(place));
      const data = Buffer.concat([cipher.update(json, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return { $secret: { key: id, iv: iv.toString('base64'), data: data.toString('base64') } };
    },
    open({ $secret: { key: id, iv, data } }, place) {
      const key = keys.get(id);
      if (!key) {
        const shown = KEY_ID.test(id) ? `"${id}"` : 'with an odd id';
        throw new Error(`it is encrypted with the key ${shown}, which ${VARIABLE} lacks: add that key, or write the value again`);
      }
      const bytes = Buffer.from(data, 'base64');
      try {
        const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(iv, 'base64'), { authTagLength: TAG_BYTES });
        decipher.setAAD(associated(place)).setAuthTag(bytes.subarray(-TAG_BYTES));
        const json = Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
        return JSON.parse(json.toString('utf8')) as unknown;
      } catch {
        // The cause says no more, and might quote what was decrypted.
        throw new Error(`it cannot be decrypted with the key "${id}": it was changed, or written for another place; write it again`);
      }
    },
  };
}
