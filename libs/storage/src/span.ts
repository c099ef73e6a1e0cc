import { context, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';

/** The part of a span that a query needs. */
export interface QuerySpan {
  fail(error: unknown): void;
  end(): void;
}

const FIRST_WORD = /^\s*(\w+)/;

/**
 * A client span for a query, if the current call is traced. Polling loops, which belong to no call, make none. The text has
 * placeholders, so no values leak. Source: opentelemetry.io/docs/specs/semconv/database/postgresql
 */
export function spanFor(text: string): QuerySpan | undefined {
  if (!trace.getSpan(context.active())?.isRecording()) return undefined;
  const operation = FIRST_WORD.exec(text)?.[1]?.toUpperCase() ?? 'QUERY';
  const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'db.query.text': text };
  const span: Span = trace.getTracer('@talaria/storage').startSpan(operation, { kind: SpanKind.CLIENT, attributes });
  return {
    fail(error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute('error.type', (error as { code?: string }).code ?? 'unknown');
    },
    end: () => span.end(),
  };
}
