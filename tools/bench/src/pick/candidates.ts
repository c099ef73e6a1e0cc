import { Status, TransportError, type Candidate, type Connection } from '@talaria/rpc';

/** Endpoints whose connections are ready, and go nowhere. */
export function candidates(count: number): readonly Candidate[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `10.0.${index >> 8}.${index & 255}:4000`;
    const connection: Connection = {
      address: `h2c://${id}`,
      state: 'ready',
      inFlight: 0,
      connect() {},
      onStateChange: () => () => {},
      unary: () => Promise.reject(new Error('nobody is there')),
      stream: () => {
        throw new Error('nobody is there');
      },
      close: () => Promise.resolve(),
    };
    return { endpoint: { id, addresses: [`h2c://${id}`] }, connection };
  });
}

/** What calls to an instance that is gone from behind its connection fail with. */
export const FAILURE = new TransportError('/bench.Bench/Get', Status.UNAVAILABLE, 'gone', 'maybe_executed');
