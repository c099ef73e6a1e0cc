import { join } from 'node:path';
import { eventually, freePort } from '@talaria/testing';
import type { Outside } from './outside.ts';
import type { ReceivedSpan, SpanReceiver } from './span-receiver.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { tutorialLines } from './tutorial.ts';

/** What came of it. */
export interface Walk {
  /** Every line that the person wrote, commands and code. */
  readonly lines: readonly string[];
  /** From the first line to the span. */
  readonly seconds: number;
  /** How long each part of that took. */
  readonly parts: readonly { readonly what: string; readonly seconds: number }[];
  /** What the gateway answered. */
  readonly answer: unknown;
  /** The spans of the trace of that call, each before those below it. */
  readonly trace: readonly ReceivedSpan[];
  /** The folder that `talaria new` made. */
  readonly workspace: string;
}

/** What a walk needs. */
export interface WalkOptions {
  readonly outside: Outside;
  /** The tarball of @talaria/cli; once that is published its name does. */
  readonly cli: string;
  readonly receiver: SpanReceiver;
  readonly log: (line: string) => void;
}

/** What the call through the gateway arrives at. */
export const METHOD = 'invoice.v1.InvoiceService/CreateInvoice';

/** Generous: the sum is what counts, and a test is no stopwatch. */
const LIMITS_MS = { install: 600_000, ready: 180_000, spans: 60_000, stop: 30_000, checks: 600_000 };

/** Runs a terminal's lines to their end. */
async function finished(terminal: Terminal, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It takes longer than ${limitMs / 1000} s. The terminal shows:\n${terminal.shown()}`)), limitMs);
  });
  try {
    await Promise.race([terminal.done, limit]);
  } catch (error) {
    terminal.signal('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Lints, typechecks, tests and builds a workspace. */
export async function check(workspace: string, { scratch, env }: Outside): Promise<string> {
  const terminal = openTerminal(['npm run lint', 'npm run typecheck', 'npm test', 'npm run build'], { folder: workspace, env, script: join(scratch, 'check.sh') });
  await finished(terminal, LIMITS_MS.checks);
  return terminal.shown();
}

/** Goes from an empty folder to a call to a new service through the gateway, and to its span. */
export async function walk({ outside, cli, receiver, log }: WalkOptions): Promise<Walk> {
  const { folder, scratch, env } = outside;
  const port = await freePort();
  const workspace = join(folder, 'shop');
  const tutorial = tutorialLines();
  // Until it is published its tarball stands for the name; and the tests leave 8080 to others.
  const first = tutorial.workspace.map((line) => line.replace('npx @talaria/cli ', `npx --yes --package ${cli} talaria `));
  const serve = tutorial.serve.map((line) => line.replace(/^npx nx serve /, `OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.url} PORT=${port} $&`));
  // What a colleague does who clones the workspace.
  const second = [...serve.slice(0, -1), 'npm ci', ...serve.slice(-1)];
  const other = tutorial.call.map((line) => line.replaceAll('localhost:8080', `localhost:${port}`));
  const parts: { what: string; seconds: number }[] = [];
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    parts.push({ what, seconds });
    log(`${seconds.toFixed(1).padStart(6)} s  ${what}`);
    return result;
  };

  await timed('talaria new shop', () => finished(openTerminal(first, { folder, env, script: join(scratch, 'first.sh') }), LIMITS_MS.install));
  log('');
  // Not part of what a person has to do.
  await check(workspace, outside);
  log('          the empty workspace: lint, typecheck, test and build are green');

  const serving = openTerminal(second, { folder, env, script: join(scratch, 'second.sh') });
  const shows = (what: RegExp, limitMs: number): Promise<unknown> => {
    const seen = eventually(() => what.test(serving.shown()), { limitMs, intervalMs: 50 }).catch(() => {
      throw new Error(`The terminal does not show ${what} within ${limitMs / 1000} s, but:\n${serving.shown()}`);
    });
    return Promise.race([seen, serving.done.then(() => Promise.reject(new Error(`It ended:\n${serving.shown()}`)))]);
  };
  try {
    await timed('npx nx g service invoice', () => shows(/^npm ci$/m, LIMITS_MS.install));
    await timed('npm ci', () => shows(/^OTEL_.*nx serve invoice-service$/m, LIMITS_MS.install));
    await timed('npx nx serve invoice-service, until it is ready', () => shows(/invoice-service is ready at /, LIMITS_MS.ready));
    const answer = await timed('a token, and an invoice', async () => {
      const terminal = openTerminal(other, { folder: workspace, env, script: join(scratch, 'other.sh') });
      await finished(terminal, LIMITS_MS.spans);
      return JSON.parse(terminal.printed()) as unknown;
    });
    const trace = await timed('its spans', () => traceOf(receiver));
    return { lines: [...first, ...second, ...other], seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0), parts, answer, trace, workspace };
  } finally {
    serving.signal('SIGINT');
    await finished(serving, LIMITS_MS.stop).catch(() => {});
  }
}

/** The trace in which the gateway asks the service for an invoice. */
async function traceOf({ spans }: SpanReceiver): Promise<readonly ReceivedSpan[]> {
  const found = (): readonly ReceivedSpan[] => {
    const traceId = spans.find(({ service, name }) => service === 'service.invoice' && name === METHOD)?.traceId;
    return spans.filter((span) => span.traceId === traceId);
  };
  await eventually(() => found().some(({ parentSpanId }) => parentSpanId === ''), { limitMs: LIMITS_MS.spans }).catch(() => {
    throw new Error(`There is no trace of ${METHOD} from its start, but these spans:\n${spans.map(({ service, name }) => `${service} ${name}`).join('\n')}`);
  });
  return below('', found());
}

/** The spans of a trace that have the parent, each with those below it. */
function below(parent: string, spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  return spans.filter(({ parentSpanId }) => parentSpanId === parent).flatMap((span) => [span, ...below(span.spanId, spans)]);
}
