import { createTokenExchange } from '@talaria/auth';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { contractReadiness, createGateway, type DocsOptions, type Gateway, type GatewayLimits, type GatewayOptions, type RuleStats } from '@talaria/http';
import { WiringError, type Service, type Settings } from '@talaria/service';
import { type settings as shape } from './settings.ts';
import { findViewer } from './viewer.ts';

/** Requests in flight get this long when the gateway stops; a service has 8 s in all. */
const DRAIN_MS = 5000;

/** The HTTP side of a service. */
export interface HttpEdge {
  /** Resolves when it listens, and then `url` says where. Rejects with one sentence that names the fix. */
  start(): Promise<void>;
  /** Resolves when nothing is in flight any more, or the limit has passed. */
  stop(): Promise<void>;
  /** Such as `http://localhost:8080`. */
  readonly url: string | undefined;
  /** What was counted for each rule; nothing before it has started. */
  ruleStats(): readonly RuleStats[];
}

/** Makes it; it drains as soon as the service leaves. */
export function httpEdge(service: Service, settings: Settings<typeof shape>, live: Pick<GatewayOptions, 'baggageFor' | 'rules' | 'timeouts' | keyof GatewayLimits> = {}): HttpEdge {
  let gateway: Gateway | undefined;
  let url: string | undefined;
  const auth = service.client(AuthServiceDefinition);
  const tokens = (): ReturnType<typeof createTokenExchange> =>
    createTokenExchange({ verifier: service.verifier, log: service.log, exchange: (accessToken, signal) => auth.exchangeToken({ accessToken }, { signal }) });

  const docsOptions = (): DocsOptions => {
    const viewer = findViewer();
    if (!viewer) service.log.warn('there is no viewer for /docs: put swagger-ui-dist beside the program, or set TALARIA_DOCS=false');
    return { contractsPackage: settings.TALARIA_CONTRACTS_PACKAGE, ...(viewer ? { viewer } : {}) };
  };

  const drain = async (): Promise<void> => gateway?.drain(DRAIN_MS);
  // Begun as soon as clients know, waited for together with the service's own calls.
  service.onStop(() => void drain(), { phase: 'leave' }).onStop(drain);

  return {
    async start() {
      const { contracts, log } = service;
      const { passportFor } = tokens();
      gateway = createGateway({
        contracts,
        client: (definition) => service.client(definition),
        authenticate: passportFor,
        ready: contractReadiness({ names: settings.TALARIA_READY_CONTRACTS, contracts, endpoints: (contract) => service.endpoints(contract), log }),
        log,
        host: settings.TALARIA_HTTP_HOST,
        port: settings.PORT,
        allowedBaggage: settings.TALARIA_ALLOWED_BAGGAGE,
        docs: settings.TALARIA_DOCS && docsOptions(),
        ...live,
      });
      const { addresses, port } = await gateway.listen().catch((error: unknown) => {
        throw new WiringError(error instanceof Error ? error.message : String(error));
      });
      url = `http://localhost:${String(port)}`;
      log.info('answering HTTP', { url, addresses });
    },
    stop: drain,
    get url() {
      return url;
    },
    ruleStats: () => gateway?.ruleStats() ?? [],
  };
}
