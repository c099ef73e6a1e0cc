import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '@talaria/base';
import type { ExportSettings } from './settings.ts';

/** The exporter for a protocol; its packages are loaded only now. */
async function otlpExporter({ protocol, url, headers, timeoutMs }: ExportSettings): Promise<SpanExporter> {
  switch (protocol) {
    case 'http/protobuf': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
      return new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
    }
    case 'http/json': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
      return new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
    }
    case 'grpc': {
      // Takes its headers from the standard variables by itself.
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
      return new OTLPTraceExporter({ url, timeoutMillis: timeoutMs });
    }
  }
}

/** What became of spans. */
export interface ExportCounts {
  /** Taken by the backend. */
  exported: number;
  /** Handed to the exporter, which could not deliver them. */
  failed: number;
}

/** An exporter that counts, and that reports an absent backend once, not once a batch. */
export async function countingExporter(settings: ExportSettings, log: Logger): Promise<{ exporter: SpanExporter; counts: ExportCounts }> {
  const inner = await otlpExporter(settings);
  const counts: ExportCounts = { exported: 0, failed: 0 };
  let failing = false;
  const exporter: SpanExporter = {
    export(spans, done) {
      inner.export(spans, (result) => {
        const failed = result.code !== 0;
        counts[failed ? 'failed' : 'exported'] += spans.length;
        if (failed && !failing) log.warn(`spans are lost: ${settings.url} does not take them`, { spans: spans.length, err: result.error });
        if (!failed && failing) log.info(`${settings.url} takes spans again`, { lost: counts.failed });
        failing = failed;
        done(result);
      });
    },
    shutdown: () => inner.shutdown(),
    forceFlush: async () => inner.forceFlush?.(),
  };
  return { exporter, counts };
}
