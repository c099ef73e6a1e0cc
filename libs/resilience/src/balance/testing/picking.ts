import { type Candidate, type EndpointStats, type Picker } from '@talaria/rpc';
import { balancedPicker } from '../balanced-picker.ts';
import type { BalanceOptions } from '../options.ts';
import { fakeMethod, fakeServer, seeded, simulation, type FakeServer, type Simulation } from './simulation.ts';

const METHOD = fakeMethod();

/** A picker, and calls one after another. */
export interface Picking {
  readonly time: Simulation;
  readonly picker: Picker;
  /** Whom so many calls go to, one after another. */
  picks(servers: readonly FakeServer[], count?: number, tried?: readonly FakeServer[]): Readonly<Record<string, number>>;
  state(server: FakeServer): EndpointStats['state'] | undefined;
}

/** Makes one with time that a test moves. */
export function picking(options: BalanceOptions = {}): Picking {
  const time = simulation();
  const picker = balancedPicker({ clock: time.clock, random: seeded(7), clientId: 'client', ...options });
  return {
    time,
    picker,
    picks(servers, count = 300, tried = []) {
      const list = servers.map(({ candidate }) => candidate);
      const counts: Record<string, number> = {};
      const set = new Set<Candidate>(tried.map(({ candidate }) => candidate));
      for (let pick = 0; pick < count; pick++) {
        const candidate = picker.pick(list, { method: METHOD, tried: set, hedge: false });
        counts[candidate.endpoint.id] = (counts[candidate.endpoint.id] ?? 0) + 1;
        time.run(1);
        picker.done?.(candidate, { startedAt: time.clock.monotonic() - 1, durationMs: 1 }, METHOD);
      }
      return counts;
    },
    state: ({ candidate }) => picker.describe?.(candidate).state,
  };
}

/** Servers that are well. */
export const named = (...ids: readonly string[]): readonly FakeServer[] => ids.map((id) => fakeServer(id));
