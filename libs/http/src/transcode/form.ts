import { badRequest } from '@talaria/errors';

/** More parameters than any request of ours has; a hostile body could hold half a million. */
const MAX_PAIRS = 1000;

/** One percent-encoded part. Throws `bad_request.invalid_encoding`. */
export function percentDecode(text: string, where: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw badRequest('invalid_encoding', `${where} is not percent-encoded UTF-8.`, { cause, violations: [{ field: where, description: 'is not percent-encoded UTF-8' }] });
  }
}

/** The pairs of a query or an `application/x-www-form-urlencoded` body, strictly decoded. Throws `bad_request.…`. */
export function parseForm(text: string, where: 'query' | 'body'): readonly (readonly [name: string, value: string])[] {
  const pairs = text.split('&', MAX_PAIRS + 1).filter((pair) => pair !== '');
  if (pairs.length > MAX_PAIRS) throw badRequest('too_many_params', `More than ${String(MAX_PAIRS)} parameters.`);
  return pairs.map((pair) => {
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    const plain = percentDecode(name.replaceAll('+', ' '), where);
    return [plain, percentDecode(value.replaceAll('+', ' '), plain === '' ? where : plain.slice(0, 200))] as const;
  });
}
