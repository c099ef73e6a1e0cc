import { randomFillSync } from 'node:crypto';
import { context as otel, isSpanContextValid, trace, TraceFlags, type Context, type Span, type SpanOptions, type Tracer } from '@opentelemetry/api';
import { fixedSetting, type LiveSetting } from '@talaria/base';
import type { TelemetrySettings } from './settings.ts';

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Random hex digits for `bytes` bytes; never all zeros, which W3C forbids. */
function randomHex(bytes: number): string {
  for (;;) {
    if (used + bytes > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const hex = pool.toString('hex', used, used + bytes);
    used += bytes;
    if (/[^0]/.test(hex)) return hex;
  }
}

function sampled({ sampler, disabled }: TelemetrySettings, ratio: number, traceId: string, parentFlags: number | undefined): boolean {
  if (disabled) return ((parentFlags ?? 0) & TraceFlags.SAMPLED) !== 0;
  if (parentFlags !== undefined && sampler.startsWith('parentbased')) return (parentFlags & TraceFlags.SAMPLED) !== 0;
  return Number.parseInt(traceId.slice(-8), 16) < ratio * 2 ** 32;
}

/**
 * A tracer whose spans record nothing and are exported nowhere, yet have ids and a sampling decision: logs need the ids,
 * and other services, which may export, need the decision. `ratio` is the share of new traces that is sampled. Far cheaper than the SDK, which is then not even loaded.
 */
export function idTracer(settings: TelemetrySettings, ratio: LiveSetting<number> = fixedSetting(settings.ratio)): Tracer {
  const startSpan = (_name: string, options: SpanOptions = {}, context: Context = otel.active()): Span => {
    const parent = options.root ? undefined : trace.getSpanContext(context);
    const valid = parent !== undefined && isSpanContextValid(parent) ? parent : undefined;
    const traceId = valid?.traceId ?? randomHex(16);
    return trace.wrapSpanContext({
      traceId,
      spanId: randomHex(8),
      traceFlags: sampled(settings, ratio.get(), traceId, valid?.traceFlags) ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(valid?.traceState ? { traceState: valid.traceState } : {}),
    });
  };
  return {
    startSpan,
    startActiveSpan(name: string, ...rest: unknown[]) {
      const run = rest.pop() as (span: Span) => never;
      const [options, context = otel.active()] = rest as [SpanOptions?, Context?];
      const span = startSpan(name, options, context);
      return otel.with(trace.setSpan(context, span), run, undefined, span);
    },
  };
}
