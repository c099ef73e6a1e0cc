export type { Candidate, Picker, PickInfo, PickResult } from './picker.ts';
export type { Endpoint, Resolution, Resolver } from './resolver.ts';
export type {
  CallHandler,
  Connection,
  ConnectionState,
  ConnectOptions,
  IncomingCall,
  Listener,
  ListenOptions,
  Outcome,
  Peer,
  ServedMethod,
  Transport,
  WireCallOptions,
  WireMethod,
} from './transport.ts';
