import { diag, DiagLogLevel, type Tracer } from '@opentelemetry/api';
import type { Sampler, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { LiveSetting, Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import { countingExporter, type ExportCounts } from './exporter.ts';
import type { ExportSettings, TelemetrySettings } from './settings.ts';

/** A tracer whose spans are exported. */
export interface Recording {
  readonly tracer: Tracer;
  readonly counts: Readonly<ExportCounts> & { readonly dropped: number };
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Samples the share of new traces that `ratio` says at that moment. */
async function samplerOf({ sampler }: TelemetrySettings, ratio: LiveSetting<number>): Promise<Sampler> {
  const { ParentBasedSampler, TraceIdRatioBasedSampler } = await import('@opentelemetry/sdk-trace');
  let current = { ratio: ratio.get(), sampler: new TraceIdRatioBasedSampler(ratio.get()) };
  const now = (): Sampler => {
    const wanted = ratio.get();
    if (wanted !== current.ratio) current = { ratio: wanted, sampler: new TraceIdRatioBasedSampler(wanted) };
    return current.sampler;
  };
  const root: Sampler = { shouldSample: (...span) => now().shouldSample(...span), toString: () => now().toString() };
  return sampler.startsWith('parentbased') ? new ParentBasedSampler({ root }) : root;
}

/** Sets the SDK up. Its packages are loaded only now (a quarter of a second). `ratio` is the share of new traces that is sampled. */
export async function startRecording(settings: TelemetrySettings & { readonly export: ExportSettings }, ratio: LiveSetting<number>, resource: Record<string, string>, log: Logger): Promise<Recording> {
  const { BatchSpanProcessor, TracerProvider } = await import('@opentelemetry/sdk-trace');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  // The SDK's own words on failures repeat each batch; ours in countingExporter do not.
  const quiet = (message: string): void => log.debug(message);
  diag.setLogger({ error: quiet, warn: (message) => log.warn(message), info: quiet, debug: quiet, verbose: quiet }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });

  const { exporter, counts } = await countingExporter(settings.export, log);
  const batches = new BatchSpanProcessor({
    exporter,
    maxQueueSize: settings.export.maxQueueSize,
    maxExportBatchSize: settings.export.maxBatchSize,
    scheduledDelayMillis: settings.export.delayMs,
    exportTimeoutMillis: settings.export.timeoutMs,
  });
  let ended = 0;
  const processor: SpanProcessor = {
    onStart: () => {},
    onEnd(span) {
      if ((span.spanContext().traceFlags & 1) === 0) return;
      ended++;
      // The batch timer, and the socket of an export that starts here, outlive this span's call.
      detached(() => batches.onEnd(span));
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
  // No resource detectors: they would publish the host's name and the command line.
  const provider = new TracerProvider({ resource: resourceFromAttributes(resource), sampler: await samplerOf(settings, ratio), spanProcessors: [processor] });
  return {
    tracer: provider.getTracer('@talaria/telemetry'),
    counts: {
      get exported() {
        return counts.exported;
      },
      get failed() {
        return counts.failed;
      },
      /** True once everything was flushed: until then the queue counts as dropped. */
      get dropped() {
        return ended - counts.exported - counts.failed;
      },
    },
    flush: () => detached(() => provider.forceFlush()),
    stop: () => detached(() => provider.shutdown()),
  };
}
