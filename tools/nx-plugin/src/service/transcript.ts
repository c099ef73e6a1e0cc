import type { ServiceContext } from './context.ts';

/** `transcript.sh`: what to paste to see the service work, which `serve` shows when it is ready. The gateway is at localhost:8080 there. */
export function transcript({ names: { many } }: ServiceContext): string {
  return `TOKEN=$(curl -s localhost:8080/oauth2/token -d grant_type=client_credentials -d client_id=dev -d client_secret=dev-secret | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
curl -s localhost:8080/${many.kebab} -H "Authorization: Bearer $TOKEN" -d title=First
curl -s "localhost:8080/${many.kebab}?page_size=10" -H "Authorization: Bearer $TOKEN"
`;
}
