import { get } from 'node:http';

/** What a gateway says of itself. */
export interface GatewayAnswer {
  readonly ready: boolean;
  /** What it says is missing; undefined if it does not answer. */
  readonly body: string | undefined;
}

const ANSWER_LIMIT_MS = 2000;
const MAX_BODY_CHARACTERS = 2000;

/** Asks the gateway on `port` whether the whole flow works. Never rejects. */
export function askGateway(port: number): Promise<GatewayAnswer> {
  return new Promise((resolve) => {
    const request = get({ host: 'localhost', port, path: '/readyz', agent: false, timeout: ANSWER_LIMIT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body = (body + chunk).slice(0, MAX_BODY_CHARACTERS)));
      response.on('end', () => resolve({ ready: response.statusCode === 200, body }));
      response.on('error', () => resolve({ ready: false, body: undefined }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', () => resolve({ ready: false, body: undefined }));
  });
}
