import { parse } from 'yaml';
import { ConfigStoreError } from './config-store-error.ts';

/** A document of JSON or YAML. Throws a `ConfigStoreError` that says where it is wrong, and quotes nothing: there may be secrets. */
export function parseDocument(text: string): unknown {
  try {
    return parse(text, { prettyErrors: false, logLevel: 'error' }) as unknown;
  } catch (error) {
    const { code, pos } = error as { readonly code?: string; readonly pos?: readonly [number, number] };
    const line = pos ? ` in line ${text.slice(0, pos[0]).split('\n').length}` : '';
    throw new ConfigStoreError('malformed', `The document is neither JSON nor YAML${line}${code === undefined ? '' : ` (${code})`}: correct it.`);
  }
}
