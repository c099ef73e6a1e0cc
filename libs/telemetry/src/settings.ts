import { parseKeyPairsIntoRecord } from '@opentelemetry/core';
import { silentLogger, type Logger } from '@talaria/base';

/** The environment, where OpenTelemetry's standard variables come from. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
/** A wire format of OTLP. */
export type OtlpProtocol = (typeof PROTOCOLS)[number];

const SAMPLERS = ['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const;
/** A sampler, by its standard name. */
export type SamplerName = (typeof SAMPLERS)[number];

const PROPAGATORS = ['tracecontext', 'baggage', 'none'] as const;
/** A propagator, by its standard name. */
export type PropagatorName = (typeof PROPAGATORS)[number];

/** Where spans go. */
export interface ExportSettings {
  /** The whole URL, with `/v1/traces` for HTTP. */
  readonly url: string;
  readonly protocol: OtlpProtocol;
  readonly headers: Readonly<Record<string, string>>;
  /** How many finished spans may wait; more are dropped, counted and reported. */
  readonly maxQueueSize: number;
  readonly maxBatchSize: number;
  readonly delayMs: number;
  readonly timeoutMs: number;
}

/** What the standard variables say. */
export interface TelemetrySettings {
  /** `OTEL_SDK_DISABLED`. */
  readonly disabled: boolean;
  /** Absent: spans are not exported. Unlike the specification's, our default exports only when an endpoint is set. */
  readonly export: ExportSettings | undefined;
  readonly sampler: SamplerName;
  /** Share of new traces that the sampler takes, from 0 (`always_off`) to 1 (`always_on`). */
  readonly ratio: number;
  readonly propagators: readonly PropagatorName[];
  /** `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`. */
  readonly resource: Readonly<Record<string, string>>;
}

/** The SDK's default queue of 2,048 lost three quarters of a burst of 10,000 spans (docs: telemetry). */
const MAX_QUEUE_SIZE = 32_768;
const MAX_BATCH_SIZE = 2_048;
const DELAY_MS = 1_000;
const TIMEOUT_MS = 10_000;

function reader(env: Environment, log: Logger) {
  // The specification: an empty value is an unset one, and a wrong one is reported and ignored, never fatal.
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const ignored = (name: string, wanted: string): void => log.warn(`${name} is ignored: it must be ${wanted}`, { value: env[name] });
  return {
    text,
    ignored,
    one<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
      const value = text(name)?.toLowerCase();
      if (value === undefined) return otherwise;
      if ((allowed as readonly string[]).includes(value)) return value as T;
      ignored(name, allowed.join(', '));
      return otherwise;
    },
    size(name: string, otherwise: number): number {
      const value = text(name);
      if (value === undefined) return otherwise;
      if (/^\d+$/.test(value) && Number(value) > 0) return Number(value);
      ignored(name, 'a whole number above 0');
      return otherwise;
    },
  };
}

function exportUrl(read: ReturnType<typeof reader>, protocol: OtlpProtocol): string | undefined {
  const own = read.text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const shared = read.text('OTEL_EXPORTER_OTLP_ENDPOINT');
  const url = own ?? shared;
  if (url === undefined) return undefined;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    read.ignored(own ? 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' : 'OTEL_EXPORTER_OTLP_ENDPOINT', 'a URL such as http://localhost:4318');
    return undefined;
  }
  return own !== undefined || protocol === 'grpc' ? url : `${url.replace(/\/+$/, '')}/v1/traces`;
}

function exportSettings(read: ReturnType<typeof reader>): ExportSettings | undefined {
  const exporters = (read.text('OTEL_TRACES_EXPORTER') ?? 'otlp').split(',').map((name) => name.trim());
  if (exporters.some((name) => name !== 'otlp' && name !== 'none')) read.ignored('OTEL_TRACES_EXPORTER', 'otlp or none');
  if (!exporters.includes('otlp')) return undefined;
  const shared = read.one('OTEL_EXPORTER_OTLP_PROTOCOL', PROTOCOLS, 'http/protobuf');
  const protocol = read.one('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', PROTOCOLS, shared);
  const url = exportUrl(read, protocol);
  if (url === undefined) return undefined;
  const maxQueueSize = read.size('OTEL_BSP_MAX_QUEUE_SIZE', MAX_QUEUE_SIZE);
  return {
    url,
    protocol,
    headers: {
      ...parseKeyPairsIntoRecord(read.text('OTEL_EXPORTER_OTLP_HEADERS')),
      ...parseKeyPairsIntoRecord(read.text('OTEL_EXPORTER_OTLP_TRACES_HEADERS')),
    },
    maxQueueSize,
    maxBatchSize: Math.min(maxQueueSize, read.size('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', MAX_BATCH_SIZE)),
    delayMs: read.size('OTEL_BSP_SCHEDULE_DELAY', DELAY_MS),
    timeoutMs: read.size('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', read.size('OTEL_EXPORTER_OTLP_TIMEOUT', TIMEOUT_MS)),
  };
}

function ratioOf(read: ReturnType<typeof reader>, sampler: SamplerName): number {
  if (sampler.endsWith('always_off')) return 0;
  const value = read.text('OTEL_TRACES_SAMPLER_ARG');
  if (!sampler.endsWith('traceidratio') || value === undefined) return 1;
  const ratio = Number(value);
  if (ratio >= 0 && ratio <= 1) return ratio;
  read.ignored('OTEL_TRACES_SAMPLER_ARG', 'a number from 0 to 1');
  return 1;
}

/**
 * The share of new traces, from 0 to 1, that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` ask for together; undefined
 * where they say nothing, or nothing that can be followed (`startTelemetry` logs that).
 */
export function samplingRatio(env: Environment): number | undefined {
  const read = reader(env, silentLogger);
  const sampler = read.one<SamplerName | 'unset'>('OTEL_TRACES_SAMPLER', SAMPLERS, 'unset');
  return sampler === 'unset' ? undefined : ratioOf(read, sampler);
}

/** Reads the standard variables. Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export function telemetrySettings(env: Environment, log: Logger): TelemetrySettings {
  const read = reader(env, log);
  const disabled = read.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  const sampler = read.one('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on');
  const named = (read.text('OTEL_PROPAGATORS') ?? 'tracecontext,baggage').split(',').map((name) => name.trim());
  const propagators = named.filter((name): name is PropagatorName => (PROPAGATORS as readonly string[]).includes(name));
  if (propagators.length < named.length) read.ignored('OTEL_PROPAGATORS', PROPAGATORS.join(', '));
  const serviceName = read.text('OTEL_SERVICE_NAME');
  return {
    disabled,
    export: disabled ? undefined : exportSettings(read),
    sampler,
    ratio: ratioOf(read, sampler),
    propagators,
    resource: { ...parseKeyPairsIntoRecord(read.text('OTEL_RESOURCE_ATTRIBUTES')), ...(serviceName ? { 'service.name': serviceName } : {}) },
  };
}
