import { CALLER_KEY, PASSPORT_KEY, type ServiceTokens } from '@talaria/auth';
import { silentLogger, sleep, type Logger } from '@talaria/base';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { unauthorized } from '@talaria/errors';
import { contractMethod, grpcTransport, Metadata, type CallLimits, type Client, type ClientMiddleware, type CompatServiceDefinition } from '@talaria/rpc';
import { passportSource } from './passport-source.ts';
import { findPlatform, type PlatformFile } from './platform-file.ts';
import { createService, type Service } from './service.ts';
import { directClients, type DirectClients } from './topology/direct-clients.ts';

/** As whom, and where. */
export interface ConnectPlatformOptions {
  /** The client to act for, such as `dev` under `serve`. Without it calls have a caller, `talaria.cli`, and no principal. */
  readonly as?: string | undefined;
  /** Its secret. Default `<as>-secret`, which is that of the dev clients. */
  readonly secret?: string | undefined;
  /** Default: TALARIA_STATE_DIR, else `.talaria` in the workspace. */
  readonly stateDir?: string | undefined;
  /** Where ETCD_ENDPOINTS and TALARIA_SERVICE_KEY_FILE may say what `platform.json` says otherwise. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: nothing is logged. */
  readonly log?: Logger | undefined;
}

/** Calls from outside of every service: from the CLI, a script, a test. */
export interface PlatformClient {
  /** A client for a contract, by its name alone. Fails calls with `unavailable` while nobody serves it. */
  client<D extends CompatServiceDefinition>(definition: D, options?: { readonly middleware?: ClientMiddleware }): Client<D, CallLimits>;
  /** Clients of instances at their own addresses, for contracts that each of them answers for itself. Close it when it is not needed any more. */
  direct(): DirectClients;
  /** What other gRPC clients have to send: `x-talaria-caller`, and `x-talaria-passport` if it acts for a client. */
  metadata(): Promise<Readonly<Record<string, string>>>;
  /** The service as which it calls: for what is published, and by whom. */
  readonly service: Service;
  /** What is served here; undefined if only ETCD_ENDPOINTS said where to look. */
  readonly platform: PlatformFile | undefined;
  close(): Promise<void>;
}

/** Who calls. */
const NAME = 'talaria.cli';
/** How long the first call of a contract waits until it is known who serves that; a service has had time to find out, a command has not. */
const FIRST_ANSWER_MS = 5_000;
const POLL_MS = 10;

/**
 * Reaches the platform that `npx nx serve …` runs, or any other by ETCD_ENDPOINTS. Throws `unavailable.platform` if there is
 * none, and `unauthorized.…` if the client is not known.
 */
export async function connectPlatform(options: ConnectPlatformOptions = {}): Promise<PlatformClient> {
  const given = options.env ?? process.env;
  const { platform, endpoints, user } = findPlatform(given, options.stateDir);
  const env = { ...given, ETCD_ENDPOINTS: endpoints, TALARIA_ETCD_CREDENTIALS_FILE: user.file, TALARIA_SERVICE_KEY_FILE: given['TALARIA_SERVICE_KEY_FILE'] || platform?.cli_key_file };
  const service = createService({ name: NAME, description: 'Calls from the command line and from scripts', platform: { env, log: options.log ?? silentLogger } });
  const patient: ClientMiddleware = async function* (call, callOptions) {
    const { contract } = contractMethod(call.method);
    const until = performance.now() + FIRST_ANSWER_MS;
    while (service.endpoints(contract) === undefined && performance.now() < until) await sleep(POLL_MS, { signal: callOptions.signal });
    return yield* call.next(call.request, callOptions);
  };
  const auth = service.client(AuthServiceDefinition, { middleware: patient });
  const passport = options.as === undefined ? undefined : passportSource(auth, options.as, options.secret ?? `${options.as}-secret`);
  try {
    await passport?.();
  } catch (error) {
    await service.stop();
    throw error;
  }

  const withPassport: ClientMiddleware = async function* (call, callOptions) {
    const token = await passport?.(callOptions.signal);
    if (token === undefined) return yield* call.next(call.request, callOptions);
    return yield* call.next(call.request, { ...callOptions, metadata: Metadata(callOptions.metadata).set(PASSPORT_KEY, token) });
  };
  return {
    service,
    platform,
    client: (definition, { middleware } = {}) => service.client(definition, { middleware: [patient, ...(passport ? [withPassport] : []), ...(middleware ? [middleware] : [])] }),
    direct: () => directClients({ transports: [grpcTransport()], tokens: service.tokens }),
    async metadata() {
      const caller = await tokensOf(service).token();
      const token = await passport?.();
      return { [CALLER_KEY]: caller, ...(token === undefined ? {} : { [PASSPORT_KEY]: token }) };
    },
    close: () => service.stop(),
  };
}

function tokensOf(service: Service): ServiceTokens {
  if (service.tokens) return service.tokens;
  throw unauthorized('caller', 'There is no key to sign with: under "npx nx serve" one is found by itself; elsewhere set TALARIA_SERVICE_KEY_FILE to a private JWK that auth-service knows.');
}
