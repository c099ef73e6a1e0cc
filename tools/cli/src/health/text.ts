import type { CheckReport } from '@talaria/discovery';
import { cell, timeWords } from '../config/words.ts';
import { printable, table, type Style } from '../terminal.ts';
import { callerWords } from '../topology/text.ts';
import { isUnwell, type HealthSnapshot, type InstanceHealth } from './snapshot.ts';

const HEAD = ['SERVICE', 'INSTANCE', 'ADDRESS', 'VERSION', 'HEALTH', 'SINCE', 'CALLERS SAW'];

/** The health of a platform for people: `all`, with all checkers and what they tell; else with those that fail. */
export function healthText({ instances, fallbacks }: HealthSnapshot, all: boolean, style: Style): string {
  if (instances.length === 0) return 'No instance runs.\n';
  const rows = instances.map((one) => [one.service, one.instance, one.address, one.version ?? '', stateOf(one), one.monitor ? timeWords(one.monitor.since) : '', callersSaw(one)].map(printable));
  const [head = '', ...lines] = table([HEAD, ...rows], style).split('\n');
  const text = instances.flatMap((one, at) => {
    const line = (lines[at] ?? '').trimEnd();
    return [isUnwell(one) ? style.bad(line) : line, ...detailsOf(one, all, style)];
  });
  const used = fallbacks.map(({ method, kind, used: times, ...caller }) => `${printable(callerWords(caller))} has answered ${times} calls of ${printable(method)} itself (${printable(kind)}).`);
  return `${[head.trimEnd(), ...text, ...used].join('\n')}\n`;
}

function stateOf({ ready, registered, monitor }: InstanceHealth): string {
  if (monitor?.reachable === false) return registered ? 'no answer' : 'no answer, not registered';
  // In band is faster: the monitor may not have looked since.
  if (!ready || monitor?.ready === false) return 'not ready';
  return monitor ? 'well' : 'no monitor yet';
}

function callersSaw({ inBand }: InstanceHealth): string {
  if (!inBand) return '';
  const ejected = inBand.ejectedBy.length === 0 ? '' : `; ${inBand.ejectedBy.length} of ${inBand.callers} callers send it nothing (${[...new Set(inBand.ejectedBy.map(({ reason }) => reason.replaceAll('_', ' ')))].join(', ')})`;
  return `${inBand.failures} of ${inBand.calls} calls failed${ejected}`;
}

function detailsOf({ monitor }: InstanceHealth, all: boolean, style: Style): readonly string[] {
  if (!monitor) return [];
  const why = monitor.error === undefined ? [] : [style.bad(`  ${printable(monitor.error)}`)];
  return [...why, ...monitor.checkers.filter(({ ok }) => all || !ok).map((checker) => checkLine(checker, style))];
}

function checkLine({ name, priority, ok, error = '', data, since }: CheckReport, style: Style): string {
  const what = ok ? `ok${data && Object.keys(data).length > 0 ? `  ${Object.entries(data).map(([key, value]) => `${printable(key)} ${cell(value as Parameters<typeof cell>[0])}`).join(', ')}` : ''}` : `FAILS: ${printable(error)}`;
  const line = `  ${printable(name)} (${priority})  ${what}${ok || since === undefined ? '' : `, since ${timeWords(since)}`}`;
  return ok ? style.dim(line) : priority === 'critical' ? style.bad(line) : line;
}
