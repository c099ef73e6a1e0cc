/** An answer of the gateway; status 0: there was none. */
export interface Answer {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON, whose shape whoever asks knows
  readonly body: any;
}

/** One request, as it ended. */
export interface Sample {
  /** What it was, such as `record`. */
  readonly kind: string;
  /** When it ended, in ms of `performance.now()`. */
  readonly at: number;
  readonly ms: number;
  readonly status: number;
  /** Such as `unavailable.no_instances`, where the answer says so. */
  readonly code?: string | undefined;
}

/** What asks the gateway, and keeps how that went. */
export interface Client {
  /** Never rejects. */
  ask(kind: string, path: string, options?: { readonly json?: unknown; readonly form?: Record<string, string> }): Promise<Answer>;
  readonly samples: readonly Sample[];
  /** Takes a token, which all requests from then on carry. Rejects if there is none to be had. */
  login(): Promise<void>;
}

const LIMIT_MS = 10_000;

/** Makes one for the gateway at `url`. */
export function createClient(url: string): Client {
  const samples: Sample[] = [];
  let token: string | undefined;
  const ask: Client['ask'] = async (kind, path, { json, form } = {}) => {
    const started = performance.now();
    const done = (answer: Answer): Answer => {
      const at = performance.now();
      samples.push({ kind, at, ms: at - started, status: answer.status, ...(answer.status === 200 ? {} : { code: (answer.body as { code?: string } | undefined)?.code }) });
      return answer;
    };
    const body = form ? new URLSearchParams(form) : JSON.stringify(json);
    try {
      const response = await fetch(url + path, {
        method: json === undefined && form === undefined ? 'GET' : 'POST',
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
        signal: AbortSignal.timeout(LIMIT_MS),
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      return done({ status: response.status, body: text === '' ? undefined : JSON.parse(text) });
    } catch {
      return done({ status: 0, body: undefined });
    }
  };
  return {
    ask,
    samples,
    async login() {
      const { status, body } = await ask('login', '/oauth2/token', { form: { grant_type: 'client_credentials', client_id: 'dev', client_secret: 'dev-secret' } });
      if (status !== 200) throw new Error(`The gateway gives no token: ${status} ${JSON.stringify(body)}`);
      token = (body as { access_token: string }).access_token;
    },
  };
}
