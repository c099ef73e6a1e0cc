import { httpClient, type HttpClient } from '@talaria/http';
import { type Service } from '@talaria/service';
import { settings } from './settings.ts';

/** What reaches receivers; closed when the service has stopped. */
export function receivers(service: Service): HttpClient {
  const http = httpClient({ allowLoopback: service.settings(settings).TALARIA_WEBHOOK_ALLOW_LOOPBACK, log: service.log });
  service.onStop(() => http.close(), { phase: 'release' });
  return http;
}
