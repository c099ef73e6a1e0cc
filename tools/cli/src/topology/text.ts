import { printable, table, type Style } from '../terminal.ts';
import { shortId } from './instances.ts';
import type { CallerName, EndpointView, SeenEndpoint, SeenMethod, Snapshot } from './snapshot.ts';

/** Rows of cells; colours are put around a row when it is laid out, so that they do not count as width. */
interface Row {
  readonly cells: readonly string[];
  readonly mood?: 'good' | 'bad' | 'dim' | undefined;
}

const ENDPOINTS = ['INSTANCE', 'ADDRESS', 'ZONE', 'VERSION', 'READY', 'CALLER', 'STATE', 'IN FLIGHT', 'EWMA MS', 'SHARE', 'CALLS', 'FAILED', 'EJECTED'];
const METHODS = ['METHOD', 'CALLER', 'BREAKER', 'REFUSED', 'BUDGET', 'P50 MS', 'P95 MS', 'CALLS', 'FAILED', 'RETRIES', 'HEDGES'];
const SERVERS = ['INSTANCE', 'LIMIT', 'IN FLIGHT', 'QUEUED', 'ADMITTED', 'REFUSED', 'REFUSED BY'];

/** A contract's topology for people. */
export function snapshotText(snapshot: Snapshot, style: Style): string {
  const { contract, endpoints, callers, methods } = snapshot;
  const services = [...new Set(endpoints.flatMap(({ service }) => service ?? []))].join(', ');
  const head = `${style.strong(printable(contract))}${services === '' ? '' : ` of ${printable(services)}`}: ${counted(endpoints.length, 'instance')}, ${counted(callers.length, 'caller')}\n`;
  const parts = [
    head,
    endpoints.length === 0 ? 'No instance serves it.\n' : layOut(ENDPOINTS, endpoints.flatMap(endpointRows), style),
    callers.length === 0 ? 'Nobody has called it yet: how it is balanced is seen as soon as a service does.\n' : '',
    methods.length === 0 ? '' : layOut(METHODS, methods.flatMap(({ method, callers: by }) => by.map((each, at) => methodRow(at === 0 ? method.slice(contract.length + 1) || method : '', each))), style),
    serversText(endpoints, style),
    lines(snapshot, style),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** The name of a caller in a cell. */
export const callerWords = ({ service, instance }: CallerName): string => `${service} ${shortId(instance)}`;

function endpointRows({ instance = '', address, zone = '', version = '', ready, registered, callers }: EndpointView): readonly Row[] {
  const own = [instance, address, zone, version, registered ? (ready ? 'yes' : 'no') : 'gone'];
  const nobody = own.map(() => '');
  const bad = !ready || !registered;
  if (callers.length === 0) return [{ cells: [...own, '', '', '', '', '', '', '', ''], mood: bad ? 'bad' : undefined }];
  return callers.map((caller, at) => ({ cells: [...(at === 0 ? own : nobody), callerWords(caller), ...seenCells(caller)], mood: caller.ejected || caller.state === 'failed' || (bad && at === 0) ? 'bad' : undefined }));
}

function seenCells({ state, inFlight, latencyMs, share, calls, failures, ejections, ejected, oldestMs }: SeenEndpoint): readonly string[] {
  const old = oldestMs !== undefined && oldestMs >= 1_000 ? ` (${seconds(oldestMs)})` : '';
  return [state, `${inFlight}${old}`, ms(latencyMs), percent(share), String(calls), String(failures), ejected ? `${ejected.reason.replaceAll('_', ' ')}, for ${seconds(ejected.forMs)}${ejections > 1 ? `, ${ejections} times` : ''}` : ejections > 0 ? `${ejections} before` : ''];
}

function methodRow(method: string, { breaker, budget, p50Ms, p95Ms, calls, failures, retries, hedges, hedgesWon, ...caller }: SeenMethod): Row {
  const refuses = breaker.rejectProbability > 0 ? ` ${percent(breaker.rejectProbability)}` : '';
  const cells = [method, callerWords(caller), `${breaker.state.replaceAll('_', ' ')}${refuses}`, String(breaker.rejected), `${Math.floor(budget.left)} left, ${budget.spent} spent${budget.refused > 0 ? `, ${budget.refused} refused` : ''}`, ms(p50Ms), ms(p95Ms), String(calls), String(failures), String(retries), hedges > 0 ? `${hedges} (${hedgesWon} won)` : '0'];
  return { cells, mood: breaker.state.endsWith('open') ? 'bad' : undefined };
}

function serversText(endpoints: readonly EndpointView[], style: Style): string {
  const rows = endpoints.flatMap(({ instance = '', address, admission }): Row[] => {
    if (!admission) return [];
    const number = (name: string): string => (typeof admission[name] === 'number' ? String(Math.round(admission[name])) : '');
    const by = Object.entries((admission['refusedBy'] ?? {}) as Record<string, unknown>).map(([reason, count]) => `${reason.replaceAll('_', ' ')} ${String(count)}`);
    return [{ cells: [instance || address, admission['isShort'] === true ? number('limit') : `${number('limit')} (not short)`, number('inFlight'), number('queued'), number('admitted'), number('refused'), by.join(', ')], mood: admission['isShort'] === true ? 'bad' : undefined }];
  });
  return rows.length === 0 ? '' : layOut(SERVERS, rows, style);
}

function lines({ fallbacks, faults, silent }: Snapshot, style: Style): string {
  return [
    ...fallbacks.map(({ method, kind, used, ...caller }) => `${printable(callerWords(caller))} has answered ${used} calls of ${printable(method)} itself (${printable(kind)}).\n`),
    ...faults.map(({ faults: names, ...caller }) => style.bad(`${printable(callerWords(caller))} injects faults: ${printable(names.join(', '))}.`) + '\n'),
    ...silent.map(({ address, why, ...caller }) => style.bad(`${printable(callerWords(caller))} at ${printable(address)} does not answer: ${printable(why)}`) + '\n'),
  ].join('');
}

function layOut(head: readonly string[], rows: readonly Row[], style: Style): string {
  const [first = '', ...others] = table([head, ...rows.map(({ cells }) => cells.map(printable))], style).split('\n');
  return `${[first.trimEnd(), ...others.map((line, at) => coloured(line.trimEnd(), rows[at]?.mood, style))].join('\n')}`;
}

const coloured = (line: string, mood: Row['mood'], style: Style): string => (mood === undefined || line === '' ? line : style[mood](line));
const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const ms = (value: number | undefined): string => (value === undefined ? '' : value < 10 ? value.toFixed(1) : String(Math.round(value)));
const seconds = (value: number): string => `${(value / 1_000).toFixed(1)} s`;
const percent = (share: number | undefined): string => (share === undefined ? '' : `${Math.round(share * 100)}%`);
