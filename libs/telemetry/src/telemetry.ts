import { propagation, trace, type Tracer } from '@opentelemetry/api';
import { fixedSetting, type LiveSetting, type Logger } from '@talaria/base';
import type { ClientMiddleware, ServerMiddleware } from 'nice-grpc-common';
import { telemetryClientMiddleware } from './client-middleware.ts';
import { idTracer } from './id-tracer.ts';
import { createPropagator } from './propagation.ts';
import { startRecording, type Recording } from './recording.ts';
import { telemetryServerMiddleware } from './server-middleware.ts';
import { telemetrySettings, type Environment, type ExportSettings, type TelemetrySettings } from './settings.ts';

/** Of which service, and from where the standard variables come. */
export interface TelemetryOptions {
  /** `service.name`, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` names another. */
  readonly service: string;
  readonly version: string;
  /** `service.instance.id`. */
  readonly instance: string;
  readonly env: Environment;
  readonly log: Logger;
  /**
   * The share of new traces that is sampled, from 0 to 1, at any moment. With a `parentbased_…` sampler, as is the default, a trace
   * that came from elsewhere keeps its decision. Default: what the variables say (`samplingRatio`), else 1.
   */
  readonly sampling?: LiveSetting<number> | undefined;
}

/** Tracing of one service. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly serverMiddleware: ServerMiddleware;
  readonly clientMiddleware: ClientMiddleware;
  /** Whether spans are exported. */
  readonly exporting: boolean;
  /** Exports what is waiting. Never rejects. */
  flush(): Promise<void>;
  /** Exports what is waiting, for `limitMs` (default 1,000) at most, and reports what was lost. Never rejects. */
  stop(limitMs?: number): Promise<void>;
}

async function withinLimit(work: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  // An export that fails is counted and reported by the exporter.
  const quiet = work.then(
    () => {},
    () => {},
  );
  await Promise.race([quiet, new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)))]);
  clearTimeout(timer);
}

const exports = (settings: TelemetrySettings): settings is TelemetrySettings & { readonly export: ExportSettings } => settings.export !== undefined;

function summary(recording: Recording, log: Logger): void {
  const { exported, failed, dropped } = recording.counts;
  if (failed + dropped > 0) log.warn('spans were lost', { exported, failed, dropped });
}

/**
 * Sets OpenTelemetry up by its standard variables (`OTEL_…`). Spans are exported only when an endpoint is set; without
 * one, trace ids and baggage still exist and flow. Never fails because of a backend that is away.
 */
export async function startTelemetry({ service, version, instance, env, log, sampling }: TelemetryOptions): Promise<Telemetry> {
  const settings = telemetrySettings(env, log);
  const resource = { 'service.name': service, 'service.version': version, 'service.instance.id': instance, 'telemetry.sdk.language': 'nodejs', ...settings.resource };
  const ratio = sampling ?? fixedSetting(settings.ratio);
  const recording = exports(settings) ? await startRecording(settings, ratio, resource, log) : undefined;
  const tracer = recording?.tracer ?? idTracer(settings, ratio);
  const propagator = createPropagator(settings.propagators);
  // For libraries that know only OpenTelemetry's API (storage, messaging). With several services in one process, as in
  // tests, the first one wins there.
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  propagation.setGlobalPropagator(propagator);

  let stopped: Promise<void> | undefined;
  return {
    tracer,
    serverMiddleware: telemetryServerMiddleware({ tracer, propagator, log }),
    clientMiddleware: telemetryClientMiddleware({ tracer, propagator }),
    exporting: recording !== undefined,
    flush: () => (recording ? withinLimit(recording.flush(), settings.export?.timeoutMs ?? 0) : Promise.resolve()),
    stop(limitMs = 1_000) {
      stopped ??= recording ? withinLimit(recording.stop(), limitMs).then(() => summary(recording, log)) : Promise.resolve();
      return stopped;
    },
  };
}
