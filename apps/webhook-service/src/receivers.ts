import { httpClient, type HttpClient } from '@talaria/http';
import { fixedSetting, type Service } from '@talaria/service';
import { type DeliveryLimits } from './logic/deliverer.ts';
import { DELAYS_MS } from './logic/schedule.ts';
import { settings } from './settings.ts';

/** What reaches receivers, closed when the service has stopped, and within which limits. */
export function receivers(service: Service): { readonly http: HttpClient; readonly limits: DeliveryLimits } {
  const http = httpClient({ allowLoopback: service.settings(settings).TALARIA_WEBHOOK_ALLOW_LOOPBACK, log: service.log });
  service.onStop(() => http.close(), { phase: 'release' });
  const limits = { delays: fixedSetting(DELAYS_MS), attemptTimeout: fixedSetting(15_000), holdMargin: fixedSetting(10_000), concurrency: fixedSetting(128), concurrencyPerWebhook: fixedSetting(8) };
  return { http, limits };
}
