import { type HttpAnswer, type HttpClient } from '@talaria/http';
import { continueTrace } from '@talaria/messaging';
import { detached, newId, runInCall, ServiceError, sleep, type LiveSetting, type Logger } from '@talaria/service';
import { type Delivery, type WebhookStorage } from '../storage/index.ts';
import { nextDelay, retryAfter } from './schedule.ts';
import { signedHeaders } from './signature.ts';

/** How soon a new delivery is seen while none ends; one that ends makes room, and is reason enough to look. */
const POLL_MS = 200;

/** What bounds deliveries; may change at any moment, for attempts from then on. */
export interface DeliveryLimits {
  /** How long after each failed attempt the next one follows, in ms: one more attempt than there are delays. */
  readonly delays: LiveSetting<readonly number[]>;
  /** How long a receiver may take, in ms. */
  readonly attemptTimeout: LiveSetting<number>;
  /** How much longer than its attempt may take a delivery is held, in ms, so that only a dead worker's are taken by another. */
  readonly holdMargin: LiveSetting<number>;
  /** Attempts of one instance at a time; nearly all of an attempt is waiting. */
  readonly concurrency: LiveSetting<number>;
  /** Of them, those of one webhook, over all instances. */
  readonly concurrencyPerWebhook: LiveSetting<number>;
}

/** What the deliverer works with. */
export interface DelivererParts {
  readonly storage: Pick<WebhookStorage, 'claim' | 'succeed' | 'fail' | 'disable'>;
  readonly http: Pick<HttpClient, 'request'>;
  readonly log: Logger;
  readonly limits: DeliveryLimits;
}

const GONE = 410;
const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** How one attempt ended. */
type Outcome = { readonly answer: HttpAnswer } | { readonly failure: ServiceError };

/** Makes one request; a receiver that cannot be reached is an outcome too. */
async function send({ http }: DelivererParts, { secret, eventId, url, body }: Delivery, timeoutMs: number): Promise<Outcome> {
  const headers = { 'content-type': 'application/json', ...signedHeaders(secret, eventId, Date.now(), body) };
  try {
    return { answer: await http.request({ method: 'POST', url, headers, body, timeoutMs }) };
  } catch (error) {
    if (error instanceof ServiceError) return { failure: error };
    throw error;
  }
}

/** Makes one attempt and notes how it ended. Rejects only if it cannot be noted. */
async function attempt(parts: DelivererParts, delivery: Delivery, timeoutMs: number): Promise<void> {
  const { storage, log, limits } = parts;
  const facts = { webhook_id: delivery.webhookId, event_id: delivery.eventId, attempt: delivery.attempt };
  const outcome = await send(parts, delivery, timeoutMs);
  if ('answer' in outcome && isSuccess(outcome.answer.status)) {
    log.info('webhook delivered', { ...facts, status: outcome.answer.status });
    return storage.succeed(delivery);
  }
  if ('answer' in outcome && outcome.answer.status === GONE) {
    log.warn('webhook disabled: its receiver answered 410 Gone', facts);
    return storage.disable(delivery.webhookId);
  }
  const failure = 'answer' in outcome ? `answered ${outcome.answer.status}` : `${outcome.failure.code}: ${outcome.failure.message}`;
  const askedMs = 'answer' in outcome ? retryAfter(outcome.answer.headers['retry-after'], Date.now()) : 0;
  const retryInMs = nextDelay(limits.delays.get(), delivery.attempt, askedMs);
  log.warn('webhook attempt failed', { ...facts, failure, retry_in_ms: retryInMs ?? null });
  await storage.fail(delivery, failure, retryInMs);
}

/** Makes an attempt in a call of its own, in the trace that caused the event. The worker's own call ends at a stop, and those begun are ended well. */
function attemptApart(parts: DelivererParts, delivery: Delivery, timeoutMs: number): Promise<void> {
  return detached(() => continueTrace(delivery, () => runInCall({ requestId: newId('req') }, () => attempt(parts, delivery, timeoutMs))));
}

/** A worker that takes what is due and delivers each webhook by itself, until the signal aborts; then it ends those it began. */
export function deliverer(parts: DelivererParts): (signal: AbortSignal) => Promise<void> {
  const { limits } = parts;
  return async (signal) => {
    const running = new Set<Promise<void>>();
    let pause = new AbortController();
    while (!signal.aborted) {
      const most = limits.concurrency.get() - running.size;
      // One value for the hold and for the attempts under it: a longer one from in between would let an attempt outlast its hold.
      const timeoutMs = limits.attemptTimeout.get();
      const claimed = most > 0 ? await parts.storage.claim({ most, mostForEachWebhook: limits.concurrencyPerWebhook.get(), holdMs: timeoutMs + limits.holdMargin.get() }) : [];
      for (const delivery of claimed) {
        const run = attemptApart(parts, delivery, timeoutMs)
          // What cannot be noted is taken again when its hold ends.
          .catch((error: unknown) => parts.log.error('webhook attempt could not be noted', { webhook_id: delivery.webhookId, err: error }))
          .finally(() => {
            running.delete(run);
            pause.abort();
          });
        running.add(run);
      }
      if (claimed.length > 0) continue;
      await sleep(POLL_MS, { signal: AbortSignal.any([signal, pause.signal]) }).catch(() => {});
      pause = new AbortController();
    }
    await Promise.all(running);
  };
}
