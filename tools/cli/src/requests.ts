import type { DescMessage, DescMethod, Message, Registry } from '@bufbuild/protobuf';
import { CliError } from './cli-error.ts';
import type { Input } from './input.ts';
import type { JsonText } from './json/json-text.ts';
import { splitJson } from './json/split-json.ts';
import { messageFrom, readJson } from './proto-json.ts';

/** Where the requests of a call come from. */
export type Source = { readonly argument: string } | { readonly input: Input };

/** Whether a method takes a stream of requests. */
export const takesStream = ({ methodKind }: DescMethod): boolean => methodKind === 'client_streaming' || methodKind === 'bidi_streaming';

async function* once(text: string): AsyncGenerator<string, void, undefined> {
  yield await Promise.resolve(text);
}

/** The JSON values of a source, each as soon as it is complete. Throws a `CliError` with the place where it is no JSON. */
export async function* jsonValues(source: Source): AsyncGenerator<JsonText, void, undefined> {
  const advice = 'argument' in source ? `write it in single quotes, such as '{"id":"acc_…"}'` : '';
  for await (const { text, position } of splitJson('argument' in source ? once(source.argument) : source.input.text())) yield readJson(text, position, advice);
}

/** Types whose own JSON may be an array, which is then one request. */
const ARRAYS = new Set(['google.protobuf.ListValue', 'google.protobuf.Value']);

/** The requests of a stream, each as soon as it is complete; an array stands for its items. */
export async function* requestStream(input: DescMessage, registry: Registry, source: Source): AsyncGenerator<Message, void, undefined> {
  for await (const json of jsonValues(source)) {
    if (Array.isArray(json.value) && !ARRAYS.has(input.typeName)) for (const item of json.parts.values()) yield messageFrom(input, item, registry);
    else yield messageFrom(input, json, registry);
  }
}

/** The one request of a method that takes no stream: what there is up to the end of the source; nothing is the empty message. */
export async function singleRequest({ input, parent, name }: DescMethod, registry: Registry, source: Source): Promise<Message> {
  let found: JsonText | undefined;
  for await (const json of jsonValues(source)) {
    if (found) throw new CliError(`${parent.typeName}/${name} takes one request, and a second one begins at line ${json.position.line}, column ${json.position.column}: make a call for each.`, 2);
    found = json;
  }
  return messageFrom(input, found ?? readJson('{}'), registry);
}
