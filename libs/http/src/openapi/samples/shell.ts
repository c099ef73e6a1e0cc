import { type DescMethod } from '@bufbuild/protobuf';
import { isOAuth } from '../../gateway/oauth.ts';
import { type Route } from '../../transcode/routes.ts';
import { type CodeSample, type JsonObject } from '../types.ts';
import { httpRequest, textPairs } from './http-request.ts';

/** Where `npx nx serve …` answers; `/docs` shows its own address instead. */
export const BASE_URL = 'http://localhost:${PORT:-8080}';

/** One word for a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const lines = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' \\\n  ');

/** A form without the client's credentials, which go by HTTP Basic. */
function formOf({ desc }: Route, example: JsonObject): readonly string[] {
  return textPairs(desc.input.fields, example)
    .filter(([name]) => name !== 'client_id' && name !== 'client_secret')
    .map(([name, text]) => `--data-urlencode ${quoted(`${name}=${text}`)}`);
}

/** The request as curl makes it, with the token in `$TOKEN` and the port in `$PORT`. */
export function curlSample(route: Route, example: JsonObject): CodeSample {
  const { method, target, body } = httpRequest(route, example);
  const streams = route.desc.methodKind === 'server_streaming';
  const implied = isOAuth(route.pattern) ? 'POST' : body === undefined ? 'GET' : 'POST';
  const command = `curl -sS${streams ? 'N' : ''}${method === implied ? '' : ` -X ${/^[A-Z]+$/.test(method) ? method : quoted(method)}`} "${BASE_URL}${target}"`;
  const token = route.access === 'principal' ? '-H "Authorization: Bearer $TOKEN"' : '';
  const sent = isOAuth(route.pattern)
    ? ['-u "${CLIENT_ID:-dev}:${CLIENT_SECRET:-dev-secret}"', ...formOf(route, example)]
    : body === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`];
  return { lang: 'Shell', label: 'curl', source: lines(command, token, ...sent) };
}

/** The call as `buf curl` makes it, straight to an instance, which says by reflection what the contract is. */
export function bufCurlSample(method: DescMethod, principal: boolean, example: JsonObject): CodeSample {
  const contract = method.parent.typeName;
  const address = `ADDRESS=$(npx talaria services --json | jq -r '.[] | select(.contract == "${contract}") | .instances[0].address')`;
  const call = lines(
    `${principal ? 'npx talaria token --as dev | ' : ''}npx buf curl --protocol grpc --http2-prior-knowledge`,
    principal ? '--header @-' : '',
    `--data ${quoted(JSON.stringify(example))}`,
    `"http://$ADDRESS/${contract}/${method.name}"`,
  );
  return { lang: 'Shell', label: 'buf curl', source: `${address}\n${call}` };
}
