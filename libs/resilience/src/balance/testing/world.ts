import { silentLogger, type LogFields } from '@talaria/base';
import { Status, type EndpointStats } from '@talaria/rpc';
import { balancedPicker } from '../balanced-picker.ts';
import type { BalanceOptions } from '../options.ts';
import { callsBetween, fakeServer, load, seeded, simulation, type Behaviour, type FakeServer, type LoadOptions, type Simulation } from './simulation.ts';

const SERVERS = ['a', 'b', 'c'];

/** A client with a balanced picker, and servers. */
export interface World {
  readonly servers: readonly FakeServer[];
  readonly bad: FakeServer;
  readonly time: Simulation;
  readonly random: () => number;
  now(): number;
  stats(server?: FakeServer): EndpointStats;
  /** What was logged. */
  readonly lines: readonly LogFields[];
  /** How often any of them was ejected. */
  ejections(): number;
  run(ms: number, options?: Partial<LoadOptions>): ReturnType<typeof load>;
}

/** Three servers that answer in 2 to 8 ms, and now and then in 40. */
export function world(seed: number, options: BalanceOptions = {}, names: readonly string[] = SERVERS): World {
  const random = seeded(seed);
  const time = simulation();
  const servers = names.map((name) => fakeServer(name));
  for (const server of servers) server.behaviour = healthy(random);
  const lines: LogFields[] = [];
  const log = { ...silentLogger, info: (message: string, fields: LogFields = {}) => void lines.push({ message, at: time.clock.now(), ...fields }) };
  const picker = balancedPicker({ clock: time.clock, random, clientId: 'client', log, ...options });
  const stats = (server = bad): EndpointStats => picker.describe?.(server.candidate) as EndpointStats;
  const bad = servers[1] ?? (servers[0] as FakeServer);
  return {
    ...{ servers, bad, time, random, lines },
    now: () => time.clock.monotonic(),
    stats,
    ejections: () => servers.reduce((sum, server) => sum + stats(server).ejections, 0),
    run: (ms, how = {}) => load(ms, { picker, simulation: time, servers, rate: 300, random, ...how }),
  };
}

/** Answers in 2 to 8 ms, and now and then in 40. */
export function healthy(random: () => number): Behaviour {
  return () => ({ ms: random() < 0.01 ? 40 : 2 + 6 * random() });
}

/** Fails a share of its calls. */
export function failing(random: () => number, share: number, code = Status.UNAVAILABLE): Behaviour {
  return () => ({ ms: 2 + 6 * random(), ...(random() < share ? { code } : {}) });
}

/** Answers later by so many ms. */
export function slowBy(by: number, random: () => number): Behaviour {
  return () => ({ ms: by + 2 + 6 * random() });
}

/** The share of attempts that went to the bad one within a time. */
export function shareOfBad({ servers, bad }: World, from: number, to: number): number {
  const all = servers.reduce((sum, server) => sum + callsBetween(server, from, to), 0);
  return callsBetween(bad, from, to) / all;
}

