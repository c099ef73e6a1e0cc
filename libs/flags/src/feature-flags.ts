import { OpenFeature, ProviderEvents, NOOP_PROVIDER, type Client, type Provider } from '@openfeature/server-sdk';
import { newId, silentLogger, type Capability, type Checker, type Host, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import { createCatalog } from './catalog.ts';
import { createEvaluator, type FlagEvaluator } from './evaluator.ts';
import { createExposures, type Exposures, type ExposureSink } from './exposures.ts';
import { fileFlagSource } from './file-source.ts';
import { startFeed, type Feed, type FeedState } from './feed.ts';
import { lastKnownGood } from './last-known-good.ts';
import { createProvider, inCall } from './provider.ts';
import { SHARED, sharedFlagSource, type FlagSource } from './source.ts';

/** How flags are made. */
export interface FeatureFlagsOptions {
  /** Default: the file of TALARIA_FLAGS_FILE, else what the services of the platform share in etcd. */
  readonly source?: FlagSource;
  /** Where exposures to experiments are told, as `experiment.exposed`: `messaging`. Default: nowhere. */
  readonly exposures?: ExposureSink;
}

/** Flags and experiments of a service: a capability for `createService({ capabilities: [flags] })`. */
export interface FeatureFlags extends Capability {
  /**
   * An OpenFeature client. Within a call the `targetingKey` is its principal, unless the context has another. Until the service
   * starts, every flag answers its default.
   */
  client(): Client;
  /** For those who set up OpenFeature themselves; `client()` uses it already. */
  readonly provider: Provider;
  /** As the client, but at once, and without hooks: takes a microsecond or less. */
  readonly resolve: FlagEvaluator['resolve'];
  /** For an edge: what somebody is assigned to, as baggage of calls made for them, so that all services below see the same. */
  readonly baggage: FlagEvaluator['baggage'];
}

/** How long a start waits for etcd, in ms, before it goes on with what was last known. */
const PATIENCE_MS = 2_000;
/** How long a stop waits for exposures to be published; a capability has a second. */
const STOP_MS = 700;

/** Makes the flags of a service. */
export function featureFlags({ source: given, exposures: sink }: FeatureFlagsOptions = {}): FeatureFlags {
  let catalog = createCatalog(silentLogger);
  let log: Logger = silentLogger;
  let feed: Feed | undefined;
  let source: FlagSource | undefined;
  let exposures: Exposures | undefined;
  const evaluator = createEvaluator({
    snapshot: () => catalog.snapshot,
    onExposure: (assigned) => exposures?.add(assigned),
    onLeft: once((experiments) => log.warn('more experiments run than baggage can carry: nobody takes part in these; stop some', { experiments })),
  });
  const loaded = Promise.withResolvers<void>();
  loaded.promise.catch(() => {});
  const provider = createProvider(evaluator, loaded.promise);
  // OpenFeature has one registry a process; a domain of its own keeps this provider apart from any other there.
  const domain = newId('flags');
  // That flags are not known is told as an event.
  void OpenFeature.setProviderAndWait(domain, provider).catch(() => {});

  /** The first state is that which OpenFeature waits for; all others are events. */
  let isLoaded = false;
  const onState = (state: FeedState): void => {
    const first = !isLoaded;
    isLoaded = true;
    const { events } = provider;
    const tellStale = (): void => events.emit(ProviderEvents.Stale, { message: `${source?.name} is away: flags are as they were last known` });
    if (state === 'unknown') return loaded.reject(new Error(`${source?.name} is away, and no flags are known from before.`));
    if (first) loaded.resolve();
    else if (state === 'current') events.emit(ProviderEvents.Ready);
    // After OpenFeature has noted that it is ready.
    if (state === 'stale') setImmediate(() => feed?.state === 'stale' && tellStale());
  };

  const checker: Checker = {
    name: 'flags',
    check() {
      const { problems, snapshot } = catalog;
      if (problems.size > 0) throw new Error([...problems].map(([document, reason]) => `${document}: ${reason}`).join('; '));
      const { flags, experiments, running } = snapshot;
      return { source: source?.name ?? 'none', state: feed?.state ?? 'current', flags: flags.size, experiments: experiments.size, running: running.length };
    },
  };

  return {
    name: 'flags',
    checkers: [checker],
    provider,
    client: () => OpenFeature.getClient(domain),
    resolve: (type, flag, defaultValue, context) => evaluator.resolve(type, flag, defaultValue, inCall(context)),
    // An edge that knows nothing decides nothing: services may know more.
    baggage: (subjects, context) => (feed && feed.state !== 'unknown' ? evaluator.baggage(subjects, context) : {}),
    async start(host, signal) {
      log = host.log;
      catalog = createCatalog(log);
      source = given ?? sourceOf(host);
      if (sink) exposures = createExposures(sink, log);
      if (!source) return onState('current');
      const kept = source.name === SHARED ? lastKnownGood(host.env['TALARIA_STATE_DIR'], host.service, log) : undefined;
      const onChange = (flags: readonly string[]): void => void provider.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged: [...flags] });
      const options = { catalog, source, kept, log, patienceMs: PATIENCE_MS, signal, onState, onChange };
      feed = await detached(() => startFeed(options));
    },
    async stop() {
      feed?.stop();
      await exposures?.stop(STOP_MS);
      await OpenFeature.setProviderAndWait(domain, NOOP_PROVIDER).catch(() => {});
    },
  };
}

function sourceOf({ env, documents, log }: Host): FlagSource | undefined {
  const file = env['TALARIA_FLAGS_FILE'];
  if (file !== undefined && file !== '') return fileFlagSource(file, log);
  return documents && sharedFlagSource(documents);
}

/** Says the same thing once. */
function once(say: (experiments: readonly string[]) => void): (experiments: readonly string[]) => void {
  let said = '';
  return (experiments) => {
    if (said === experiments.join()) return;
    said = experiments.join();
    say(experiments);
  };
}
