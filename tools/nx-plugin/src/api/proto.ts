import { tokensOf } from '../proto/tokens.ts';
import type { ProtoMethod, ProtoRoute } from '../proto/method.ts';
import type { ProtoFile, ProtoType } from '../proto/proto-file.ts';
import type { FoundContract } from '../workspace/find.ts';
import { apiRoute } from './routes.ts';

/** The contract of an API. */
export interface ApiContract {
  /** `invoice.api.v1`. */
  readonly package: string;
  /** `InvoiceApiService`. */
  readonly service: string;
  /** What it is about: `invoices`. */
  readonly words: string;
  /** What the scopes begin with, where the service behind names none: `invoices`. */
  readonly scope: string;
  /** Where the routes of the service behind begin (undefined if it has none), and those of the API. */
  readonly paths: { readonly service: string | undefined; readonly api: string };
}

const commented = (comment: string, indent: string): string => (comment === '' ? '' : `${comment.split('\n').map((line) => `${indent}// ${line}`.trimEnd()).join('\n')}\n`);

function httpOption({ verb, path, body }: ProtoRoute): string {
  return body === undefined ? `option (google.api.http) = {${verb}: "${path}"};` : `option (google.api.http) = {\n      ${verb}: "${path}"\n      body: "${body}"\n    };`;
}

function rpc(found: FoundContract, method: ProtoMethod, api: ApiContract): string {
  const { name, idempotency, request, response, clientStreaming, serverStreaming } = method;
  const route = apiRoute(found, method, api.paths);
  const access =
    method.access ??
    `option (talaria.options.v1.access) = {
      principal: {
        scopes: ["${api.scope}:${idempotency === 'NO_SIDE_EFFECTS' ? 'read' : 'write'}"]
      }
    };`;
  const options = [...(idempotency === undefined ? [] : [`option idempotency_level = ${idempotency};`]), ...(route ? [httpOption(route)] : []), access];
  const types = `(${clientStreaming ? 'stream ' : ''}${request}) returns (${serverStreaming ? 'stream ' : ''}${response})`;
  return `${commented(method.comment, '  ')}  rpc ${name}${types} {\n${options.map((option) => `    ${option}\n`).join('')}  }`;
}

/** A type as it stands in the file of the service, with its own package for the service's. */
function typeText(proto: ProtoFile, { start, end }: ProtoType, to: string): string {
  const text = proto.text.slice(start, end);
  const from = proto.package;
  return tokensOf(text, proto.path)
    .filter(({ kind, text: word }) => kind === 'word' && (word.startsWith(`${from}.`) || word.startsWith(`.${from}.`)))
    .reduceRight((result, { start: at, end: until, text: word }) => result.slice(0, at) + word.replace(from, to) + result.slice(until), text);
}

/** The contract of an API in front of a service: its methods and messages, in a package of their own, with public routes. */
export function apiProto(found: FoundContract, api: ApiContract): string {
  const { proto, service } = found;
  const imports = [...new Set([...proto.imports, 'google/api/annotations.proto', 'talaria/options/v1/options.proto'])].sort();
  return `syntax = "proto3";

package ${api.package};

${imports.map((file) => `import "${file}";`).join('\n')}

// The public API of ${api.words}: passes calls on to ${service.contract}.
service ${api.service} {
${service.methods.map((method) => rpc(found, method, api)).join('\n')}
}

${proto.types.map((type) => typeText(proto, type, api.package)).join('\n\n')}
`;
}
