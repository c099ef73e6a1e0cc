import { httpClient, type HttpClient } from '@talaria/http';
import { type Service } from '@talaria/service';
import { type DeliveryLimits } from './logic/deliverer.ts';
import { liveSettings, settings } from './settings.ts';

/** What reaches receivers, closed when the service has stopped, and within which limits. */
export function receivers(service: Service): { readonly http: HttpClient; readonly limits: DeliveryLimits } {
  const http = httpClient({ allowLoopback: service.settings(settings).TALARIA_WEBHOOK_ALLOW_LOOPBACK, log: service.log });
  service.onStop(() => http.close(), { phase: 'release' });
  const live = service.config(liveSettings);
  const limits = {
    delays: live['webhook.delays'],
    attemptTimeout: live['webhook.attempt_timeout'],
    holdMargin: live['webhook.hold_margin'],
    concurrency: live['webhook.concurrency'],
    concurrencyPerWebhook: live['webhook.concurrency_per_webhook'],
  };
  return { http, limits };
}
