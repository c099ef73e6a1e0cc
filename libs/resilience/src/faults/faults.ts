import { silentLogger, type Checker, type LiveSetting, type Logger } from '@talaria/base';
import type { Metadata } from '@talaria/rpc';
import { activeRule, describeRule, type ActiveRule } from './active-rule.ts';
import type { FaultRule } from './fault-rule.ts';

/** What faults are made of. */
export interface FaultsOptions {
  /** The rules, as they are now. */
  readonly rules: LiveSetting<readonly FaultRule[]>;
  /** The name of this service: `caller` of rules for the calls that it makes. */
  readonly service: string;
  /** The id of this instance. */
  readonly instance: string;
  /** Which service made a call that has arrived, by what it proves; undefined for nobody known. Default: nobody is. */
  readonly callerOf?: (metadata: Metadata) => Promise<string | undefined>;
  /** Gets a warning at each change of the rules. Default: silent. */
  readonly log?: Logger;
  /** For percentages, jitter and damage. Default `Math.random`. */
  readonly random?: () => number;
}

/** The faults that are injected into the calls of one instance, for `faultyTransport`. */
export interface Faults {
  /** Rules for calls that this instance makes. Empty unless something is wrong on purpose: all that a call asks then. */
  readonly client: readonly ActiveRule[];
  /** Rules for calls that it serves. */
  readonly server: readonly ActiveRule[];
  /** The rule that hits a call to `address` (with its scheme), if one does. */
  clientHit(path: string, metadata: Metadata, address: string): ActiveRule | undefined;
  /** The rule that hits a call that has arrived, if one does. Never rejects. */
  serverHit(path: string, metadata: Metadata): Promise<ActiveRule | undefined>;
  readonly random: () => number;
  /** `faults`: fails while rules are in force, and lists them. Not critical. */
  readonly checker: Checker;
  /** Follows the rules no longer; those in force stay. */
  close(): void;
}

/** Puts rules in force, and each change of them. */
export function createFaults({ rules, service, instance, callerOf = async () => undefined, log = silentLogger, random = Math.random }: FaultsOptions): Faults {
  let client: readonly ActiveRule[] = [];
  let server: readonly ActiveRule[] = [];

  const apply = (given: readonly FaultRule[]): void => {
    const before = [...client, ...server];
    for (const rule of before) rule.inForce = false;
    const here = given.map(activeRule).filter(({ rule }) => rule.instance === undefined || rule.instance === instance);
    client = here.filter(({ rule }) => rule.side === 'client' && (rule.caller === undefined || rule.caller === service));
    server = here.filter(({ rule }) => rule.side === 'server');
    const active = [...client, ...server].map(describeRule);
    if (active.length > 0) log.warn(`Faults are injected into calls, on purpose: ${active.join('; ')}`, { setting: 'faults.rules' });
    else if (before.length > 0) log.warn('No faults are injected any more', { setting: 'faults.rules' });
  };
  const hit = (rule: ActiveRule): boolean => {
    const { percentage = 100 } = rule.rule;
    if (percentage < 100 && random() * 100 >= percentage) return false;
    rule.hits += 1;
    return true;
  };
  const stop = rules.onChange(apply);
  try {
    apply(rules.get());
  } catch {
    // The setting is wrong, which the start of the service says: nothing is injected.
  }

  return {
    get client() {
      return client;
    },
    get server() {
      return server;
    },
    clientHit(path, metadata, address) {
      for (const rule of client) {
        if (!rule.matches(path) || (rule.rule.address !== undefined && !address.endsWith(`://${rule.rule.address}`)) || !rule.matchesHeader(metadata)) continue;
        if (hit(rule)) return rule;
      }
      return undefined;
    },
    async serverHit(path, metadata) {
      let caller: string | undefined;
      let asked = false;
      for (const rule of server) {
        if (!rule.matches(path) || !rule.matchesHeader(metadata)) continue;
        if (rule.rule.caller !== undefined) {
          // A token that does not hold is refused by the service itself, and is nobody's until then.
          if (!asked) caller = await callerOf(metadata).catch(() => undefined);
          asked = true;
          if (caller !== rule.rule.caller) continue;
        }
        if (hit(rule)) return rule;
      }
      return undefined;
    },
    random,
    checker: {
      name: 'faults',
      check() {
        const active = [...client, ...server];
        if (active.length === 0) return { rules: 0 };
        throw new Error(`Faults are injected on purpose (live setting faults.rules): ${active.map((rule) => `${describeRule(rule)} (${rule.hits} so far)`).join('; ')}`);
      },
    },
    close: stop,
  };
}
