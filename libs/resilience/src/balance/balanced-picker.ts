import { newId, silentLogger, systemClock } from '@talaria/base';
import { detached } from '@talaria/context';
import type { Candidate, ConnectionState, ContractMethod, Picker, WireMethod } from '@talaria/rpc';
import { chooseUntried } from './choose.ts';
import { describeInstance } from './describe.ts';
import { ejectionLog } from './ejection-log.ts';
import { newInstance, type Instance } from './instance.ts';
import { methodLatency, type MethodLatency } from './method-latency.ts';
import { liveLimits, type BalanceOptions } from './options.ts';
import { mayProbe } from './probation.ts';
import { BEST } from './rank.ts';
import { record, type Witness } from './record.ts';
import { connectionChanged } from './reconnect.ts';
import { sweep } from './sweep.ts';
import { chooseFrom, newTable, refreshMembers, refreshPool, type Table } from './table.ts';

/** How long what was worked out holds, in ms: picks in between only look things up. */
const REFRESH_MS = 50;
/** A list that was not used for so long, in ms, is not what the contract has any more. */
const FORGET_LIST_MS = 1_000;
/** An instance that was in no list for so long, in ms, is forgotten. */
const FORGET_INSTANCE_MS = 60_000;

/**
 * Picks the better of two instances, by latency, calls in flight, weight and zone; takes those that fail, are slow or say nothing out
 * of rotation, and lets them return. Learns from the attempts of this client alone. One for each contract. Needs no timers.
 */
export function balancedPicker(options: BalanceOptions = {}): Picker {
  const { contract, zone, clientId = newId('client'), subsetSize = 20, slowStartMs = 10_000, log = silentLogger, clock = systemClock, random = Math.random } = options;
  const tableOptions = { zone, clientId, subsetSize: Math.max(1, subsetSize), slowStartMs };
  const limits = liveLimits(options.ejection);
  const events = ejectionLog(log, contract, () => clock.monotonic());
  const instances = new Map<Candidate, Instance>();
  const methods = new Map<string, MethodLatency>();
  const tables = new WeakMap<readonly Candidate[], Table>();
  let version = 0;
  let last: Table | undefined;
  /** Of all candidates, as far as can be told: the other lists are parts of it, which some calls are limited to. */
  let whole: { readonly table: Table; readonly known: ReadonlySet<Instance>; usedAt: number } | undefined;
  let sweepAt = -Infinity;

  const witnessed: Witness = (instance, since, from) => whole?.table.pool.some((other) => other !== instance && other.answersSince <= since && other.answeredFrom >= from) ?? false;

  const instanceOf = (candidate: Candidate, now: number): Instance => {
    let instance = instances.get(candidate);
    if (!instance) {
      const made = newInstance(candidate, now);
      instance = made;
      // One that joins others, and has just started, is not up to its share yet. When all are new to this client, none is newer.
      const age = clock.now() - Date.parse(candidate.endpoint.startedAt ?? '');
      if (whole && age < slowStartMs) made.rampFrom = now - Math.max(0, age);
      const { connection } = candidate;
      made.stopListening = connection.onStateChange((state: ConnectionState) => {
        connectionChanged(made, state, clock.monotonic(), limits(), events);
        version++;
      });
      instances.set(candidate, made);
    }
    instance.seenAt = now;
    return instance;
  };

  const forget = (now: number): void => {
    for (const [candidate, instance] of instances) {
      const gone = candidate.connection.state === 'closed' || now - instance.seenAt > FORGET_INSTANCE_MS;
      if (!gone || instance.unary.length + instance.streams.length + instance.stale.length > 0 || whole?.known.has(instance)) continue;
      instance.stopListening?.();
      instances.delete(candidate);
    }
  };

  const use = (table: Table, now: number): void => {
    for (const instance of table.all) instance.seenAt = now;
    if (whole && (whole.table === table || (now - whole.usedAt <= FORGET_LIST_MS && table.all.every((instance) => whole?.known.has(instance))))) {
      if (whole.table === table) whole.usedAt = now;
      return;
    }
    whole = { table, known: new Set(table.all), usedAt: now };
    forget(now);
  };

  const refresh = (table: Table, now: number): void => {
    use(table, now);
    refreshPool(table, tableOptions);
    judge(now);
    refreshMembers(table, now, tableOptions);
    table.version = version;
    table.staleAt = now + REFRESH_MS;
    for (const { candidate } of table.pool) if (candidate.connection.state === 'idle' && candidate.endpoint.weight !== 0) detached(() => candidate.connection.connect());
  };

  /** Not more often than needed, since it looks at all. */
  const judge = (now: number): void => {
    if (!whole || now < sweepAt) return;
    sweepAt = now + REFRESH_MS;
    if (sweep(whole.table.pool, { now, limits: limits(), trialMs: slowStartMs, witnessed, ...events })) version++;
  };

  const tableOf = (candidates: readonly Candidate[], now: number): Table => {
    let table = last;
    if (table?.candidates !== candidates) {
      table = tables.get(candidates);
      if (!table) {
        if (candidates.length === 0) throw new Error('A picker needs at least one candidate');
        table = newTable(candidates, candidates.map((candidate) => instanceOf(candidate, now)), tableOptions);
        tables.set(candidates, table);
      }
      last = table;
    }
    if (table.version !== version || now >= table.staleAt) refresh(table, now);
    return table;
  };

  const methodOf = ({ path }: WireMethod): MethodLatency => {
    let method = methods.get(path);
    if (!method) {
      method = methodLatency();
      methods.set(path, method);
    }
    return method;
  };

  const probe = (table: Table, method: WireMethod, now: number): Instance | undefined => {
    for (const instance of table.probing) if (mayProbe(instance, isRepeatable(method), now)) return instance;
    return undefined;
  };

  const fresh = (table: Table, stream: boolean, now: number): Instance => {
    const chosen = chooseFrom(table, stream, random);
    if (table.rank !== BEST || chosen.candidate.connection.state === 'ready') return chosen;
    // Nobody told of that.
    refresh(table, now);
    return chooseFrom(table, stream, random);
  };

  return {
    pick(candidates, { method, tried, hedge, now: asked, clock: askedOf }) {
      const now = asked !== undefined && askedOf === clock ? asked : clock.monotonic();
      const table = tableOf(candidates, now);
      const stream = method.requestStream || method.responseStream;
      let picked: Instance | undefined;
      if (tried.size > 0) picked = chooseUntried(table.members, table.all, ({ candidate }) => tried.has(candidate), stream, random);
      else if (table.probing.length > 0 && !hedge) picked = probe(table, method, now);
      picked ??= fresh(table, stream, now);
      picked.lastPickAt = now;
      picked.turn += 1 / picked.share;
      (stream ? picked.streams : picked.unary).push({ at: now, method: methodOf(method), cold: picked.candidate.connection.state !== 'ready' });
      return picked.candidate;
    },
    done(candidate, result, wire) {
      const instance = instances.get(candidate);
      if (instance) record(instance, { result, wire, method: methodOf(wire), now: result.clock === clock ? result.startedAt + result.durationMs : clock.monotonic(), limits: limits(), witnessed });
    },
    describe(candidate) {
      const now = clock.monotonic();
      const instance = instances.get(candidate);
      judge(now);
      return describeInstance(instance ?? newInstance(candidate, now), now, slowStartMs);
    },
    close() {
      for (const { stopListening } of instances.values()) stopListening?.();
      instances.clear();
    },
  };
}

/** Whether a call may be made twice: what its contract says (`idempotency_level`). */
function isRepeatable(method: WireMethod): boolean {
  const level = (method as Partial<ContractMethod>).options?.idempotencyLevel;
  return level === 'IDEMPOTENT' || level === 'NO_SIDE_EFFECTS';
}
