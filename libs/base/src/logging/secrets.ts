/** Stands where a secret stood. */
export const REDACTED = '[redacted]';

/** Names whose values are secrets, in lower case and without separators, also as the end of a longer name, `db_password`, and of several. */
const SECRET_ENDING =
  /(?:(?:api|access|private|secret|signing)key|assertion|authorization|cookie|credential|jwt|passphrase|passport|passwd|pwd|secret|sessionid|token)s?$|^(?:basic)?auth$/;
/** Ends like a secret's name, and says where a list goes on. */
const NO_SECRET = /pagetokens?$/;
/** The platform's own metadata proves who calls and for whom. */
const PRIVATE_PREFIX = 'xtalaria';

/** What a key's value is, by key; keys repeat, so each is looked at once. Bounded, since keys may come from outside. */
function remembering(decide: (key: string) => boolean, limit = 2_000): (key: string) => boolean {
  const known = new Map<string, boolean>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const decided = decide(key);
    if (known.size < limit && key.length <= 100) known.set(key, decided);
    return decided;
  };
}

const isSecret = (key: string): boolean => {
  const name = key.slice(-200).toLowerCase().replace(/[^a-z0-9]/g, '');
  if (NO_SECRET.test(name)) return false;
  return key.slice(0, 20).toLowerCase().replace(/[^a-z0-9]/g, '').startsWith(PRIVATE_PREFIX) || SECRET_ENDING.test(name) || name.includes('password');
};

/** Whether the value of a key is a secret: whatever its case, and with `_`, `-`, `.` or nothing between its words. */
export const isSecretKey = remembering(isSecret);

/** Whether an item of a list can name the next one, as in flat headers, pairs and arguments of commands, and that is a secret. */
export const namesSecret = remembering((text) => /^[\w.-]{2,100}$/.test(text) && isSecret(text));

/** Whether a value may be shown whatever its name: whether there is a secret is none, nor is how many there are. */
export function isHarmless(name: string, value: unknown): boolean {
  return value === null || typeof value === 'boolean' || ((typeof value === 'number' || typeof value === 'bigint') && /s$/i.test(name));
}

/** Members of a JSON Web Key that are private. RFC 7518, section 6, and RFC 8037. */
const PRIVATE_JWK_MEMBERS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

/** Whether a member of an object is one that a JSON Web Key keeps to itself. */
export function isPrivateMember(key: string, of: object): boolean {
  return PRIVATE_JWK_MEMBERS.has(key) && 'kty' in of;
}

const NAMED = '(?:password|passwd|passphrase|pwd|secret|token|api[-_]?key|private[-_]?key|access[-_]?key|assertion|passport|session[-_]?id|jwt|authorization|cookie|x-talaria-[\\w-]{1,40})';

/** What may follow the name of a flag in a sentence. */
const PROSE = '(?:is|are|was|or|and|in|of|to|for|from|with|without|must|needs?|requires?|expects?|not|cannot|can|has|should|may|option|flag)\\b';
/** How words end that say what is wrong with a token. */
const REASON = '(?:ed|ing|ions?|able|ible|ure|ment|ier|ator|less|ity|ence|ance|ect|ous|den|match|known)\\b';
/** In quotes, escaped or not; the quote is the second group. */
const QUOTED = `(\\\\?["'])(?:(?!\\2)[^\\r\\n])*\\2`;

/** Secrets inside texts: what stands for the secret, and the text that takes its place. All are linear in the text's length. */
const IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, REDACTED],
  // A password may hold "@" and "/", as people write them; digits before a path are a port.
  [/:\/\/[^\s/?#@:"'<>[]{0,256}:(?!\d{1,5}[/?#])[^\s"'<>]{1,256}@/g, `://${REDACTED}@`],
  [/:\/\/[^\s/?#"'<>]{1,1024}@/g, `://${REDACTED}@`],
  [/\b(Bearer) +(?!(?:tokens?|auth\w*|scheme|is|or|and|in|of)\b)[\w.~+/-]+=*/gi, `$1 ${REDACTED}`],
  // Base64, and no word such as "basic authentication".
  [/\b([Bb]asic) +(?=[a-z]*[A-Z0-9+/=])[A-Za-z0-9+/]{6,}=*/g, `$1 ${REDACTED}`],
  // The private member of a JSON Web Key in JSON.
  [/(\\?"(?:d|k)\\?"\s{0,3}:\s{0,3}\\?")[\w-]{20,}/g, `$1${REDACTED}`],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\bwhsec_[\w+/=-]+/g, `whsec_${REDACTED}`],
  // A connection string, whose values may have spaces.
  [new RegExp(`(${NAMED}\\s{0,3}=\\s{0,3})(?!\\[redacted\\]|["'\\\\])[^;&"\\r\\n]{1,256}(?=;)`, 'gi'), `$1${REDACTED}`],
  [/(;\s{0,3}(?:password|passwd|pwd)\s{0,3}=\s{0,3})(?!\[redacted\]|["'\\])[^;"\r\n]{1,256}/gi, `$1${REDACTED}`],
  [new RegExp(`(?<![\\w-])(--[\\w-]{0,40}?${NAMED}(?:\\s{1,3}|["'],\\s{0,3}))(?!--|\\[redacted\\]|${PROSE})(?:"[^"\\r\\n]*"|'[^'\\r\\n]*'|[^\\s"']+)`, 'gi'), `$1${REDACTED}`],
  [new RegExp(`(${NAMED}\\\\?["']?\\s{0,3}(?:=|(?<=["'])\\s{0,3}:)\\s{0,3})(?!\\[redacted\\])(?:\\\\?"(?:[^"\\\\]|\\\\(?!"))*\\\\?"|'[^']*'|[^\\s"'&,;}\\\\]+)`, 'gi'), `$1${REDACTED}`],
  [/\b((?:proxy-)?authorization|(?:set-)?cookie|x-talaria-[\w-]{1,40})(: {0,3})(?!\[redacted\])[^\r\n"']+/gi, `$1$2${REDACTED}`],
  [
    new RegExp(`\\b((?:password|passwd|passphrase|(?:x-)?api[-_]?key|private[-_]?key|(?:access|refresh|id)[-_]?token|client[-_]?secret|session[-_]?id): {0,3})(?!\\[redacted\\])(?:${QUOTED}|(["']?)[^\\s"']+)`, 'gi'),
    `$1$2$3${REDACTED}$2`,
  ],
  // Much is said of tokens and secrets, and parsers have tokens of their own. What is quoted may be one, what has a digit, and a long word that ends its clause.
  [new RegExp(`(?<!unexpected )\\b((?:token|secret): {0,3})(?=\\\\?["'][^"'\\r\\n]{2})${QUOTED}`, 'gi'), `$1$2${REDACTED}$2`],
  [/\b((?:token|secret): {0,3}["']?)(?=[^\s"']{0,200}\d)[^\s"']{6,}/gi, `$1${REDACTED}`],
  [
    new RegExp(`(?<!nexpected )\\b((?:[Tt]oken|TOKEN|[Ss]ecret|SECRET): {0,3})(?=\\S{0,200}[a-z][A-Z]|[A-Za-z_-]{8,}(?:[,;)\\]}\\r\\n]|\\.?\\s*$))(?![A-Za-z_-]*${REASON})[^\\s"',;)\\]}]{8,}`, 'g'),
    `$1${REDACTED}`,
  ],
];

/** What each of those has to have; most texts have nothing of it. */
const SUSPICIOUS = /[=:]|--|bearer |basic |eyJ|whsec_/i;

/** A text without the secrets that can be told by their looks: credentials in URLs, bearer tokens, JWTs, private keys, `password=…`, `--password …`. */
export function redactText(text: string): string {
  if (text.length < 8 || !SUSPICIOUS.test(text)) return text;
  return IN_TEXT.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}
