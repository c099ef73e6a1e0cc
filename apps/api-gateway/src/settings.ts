import { setting, z } from '@talaria/service';

const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((name) => name.trim()).filter((name) => name !== ''));

/** What the gateway reads from its environment. */
export const settings = {
  PORT: setting(z.coerce.number().int().min(0).max(65_535).default(8080), { description: 'the port for HTTP; 0 takes a free one' }),
  TALARIA_HTTP_HOST: setting(z.string().default('localhost'), { description: 'the host to listen on: localhost is this machine only, 0.0.0.0 everybody' }),
  TALARIA_READY_CONTRACTS: setting(list, { description: 'contracts, with commas between them, that need a ready instance before /readyz is first 200; empty means all that are published' }),
  TALARIA_ALLOWED_BAGGAGE: setting(list, { description: 'names of W3C baggage, with commas between them, that clients may send' }),
  TALARIA_DOCS: setting(z.stringbool().default(true), { description: 'whether /openapi.json describes the contracts and /docs shows them' }),
  TALARIA_CONTRACTS_PACKAGE: setting(z.string().default('@talaria/contracts'), { description: 'the npm package of the generated contracts, which samples of the typed client import' }),
};
