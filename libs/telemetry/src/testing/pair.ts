import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { createConnector, createServer, inprocTransport, staticResolver, type Client, type ServiceImplementation } from '@talaria/rpc';
import type { Telemetry } from '../telemetry.ts';

/** A server and a client of account.v1.AccountService within the process, each with telemetry. */
export interface Pair {
  readonly client: Client<typeof AccountServiceDefinition>;
  close(): Promise<void>;
}

export async function startPair(server: Telemetry, client: Telemetry, getAccount: ServiceImplementation<typeof AccountServiceDefinition>['getAccount']): Promise<Pair> {
  const transports = [inprocTransport()];
  const serving = createServer({ transports, middleware: [server.serverMiddleware] });
  serving.add(AccountServiceDefinition, { getAccount, createAccount: async () => ({}), listAccounts: async () => ({}) });
  const address = await serving.listen('inproc://accounts');
  const picker = () => ({ pick: ([first]: readonly unknown[]) => first as never });
  const connector = createConnector({ resolver: staticResolver({ 'account.v1.AccountService': [address] }), transports, picker, middleware: [client.clientMiddleware] });
  return {
    client: connector.client(AccountServiceDefinition),
    async close() {
      await connector.close();
      await serving.drain(1_000);
    },
  };
}
