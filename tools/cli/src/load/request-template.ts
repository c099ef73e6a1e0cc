import { randomUUID } from 'node:crypto';
import type { Message } from '@bufbuild/protobuf';
import { CliError } from '../cli-error.ts';
import type { FoundMethod } from '../contract-methods.ts';
import { messageFrom, readJson } from '../proto-json.ts';

/** What may stand in a request, in double braces. */
const VALUES: Readonly<Record<string, (n: number) => string>> = { n: String, uuid: () => randomUUID() };
const PLACEHOLDER = /\{\{\s*([A-Za-z_]\w*)\s*\}\}/g;

/**
 * The requests of a load: `text` is proto JSON in which `{{n}}` stands for the number of the call and `{{uuid}}` for another id each
 * time. Throws a `CliError` for what is not the method's request.
 */
export function requestTemplate(text: string, { method, registry }: FoundMethod): (n: number) => Message {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  const unknown = names.find((name) => VALUES[name] === undefined);
  if (unknown !== undefined) throw new CliError(`{{${unknown}}} stands for nothing: requests know {{n}}, the number of the call, and {{uuid}}.`, 2);
  const render = (n: number): Message => {
    const json = text.replaceAll(PLACEHOLDER, (_, name: string) => VALUES[name]?.(n) ?? '');
    return messageFrom(method.input, readJson(json, undefined, `write it in single quotes, such as '{"id":"acc_…"}'`), registry);
  };
  const first = render(0);
  return names.length === 0 ? () => first : render;
}
