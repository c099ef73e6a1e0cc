import { formatDuration } from '@talaria/config';
import { sleep } from '@talaria/base';
import { CliError } from '../cli-error.ts';
import type { CanaryPlan } from './canary-options.ts';
import { ruleId, type Release } from './canary-rules.ts';
import { compared, NO_FIGURES, quantile, type Compared, type Figures } from './figures.ts';
import type { Asked, Gateways } from './gateways.ts';
import { AT_THE_END, errorRate, isEnough, MEANWHILE, ms, percent, worse } from './verdict.ts';

/** What a step works with. */
export interface StepParts {
  readonly release: Release;
  readonly plan: CanaryPlan;
  readonly gateways: Gateways;
  /** Whether an instance of the version is there. */
  readonly isThere: () => boolean;
  /** Aborts when the canary must go back, with the reason. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** What is compared with where nobody is left on other versions: the last figures of them, by service. */
export type Baseline = ReadonlyMap<string, Figures>;

/** 0.29 → `29%`. */
export const percentWords = (share: number): string => `${String(Number((share * 100).toFixed(4)))}%`;

/** Gateways hear of a change within 100 ms; one that is not heard of for so long may do anything. */
const APPLY_LIMIT_MS = 15_000;
const SAY_MS = 10_000;

/** Why a canary goes back: its message says so. */
export class WentWorse extends CliError {}

/** Watches a share of the calls for as long as a step takes. Resolves with the figures when it went well; throws a `CliError` with the reason when it did not. */
export async function watchStep(share: number, baseline: Baseline, parts: StepParts): Promise<Baseline> {
  const { release, plan, gateways, isThere, signal, say } = parts;
  const poll = Math.min(1_000, Math.max(100, plan.everyMs / 10));
  const label = percentWords(share).padStart(6);
  let complete = performance.now();
  let began: number | undefined;
  let said = performance.now();
  for (;;) {
    signal.throwIfAborted();
    if (!isThere()) throw new CliError(`no instance runs ${release.version} any more`);
    const asked = await gateways.ask(ruleId(release), share, signal);
    const now = performance.now();
    if (isComplete(asked)) {
      complete = now;
      began ??= now;
    } else if (now - complete > APPLY_LIMIT_MS) throw new CliError(missing(asked));
    const groups = compared(asked.stats, release).map((group) => withBaseline(group, baseline, plan));
    const decisive = decisiveOf(groups, release);
    const isOver = began !== undefined && now - began >= plan.everyMs && decisive.some((group) => isEnough(group, plan));
    for (const group of groups) {
      const reason = worse(group, plan, isOver ? AT_THE_END : MEANWHILE);
      if (reason !== undefined) throw new WentWorse(reason);
    }
    if (isOver) {
      for (const line of figureLines(groups.filter((group) => isEnough(group, plan)), release)) say(`${label}  ${line}`);
      return new Map([...baseline, ...groups.filter((group) => isEnough(group, plan)).map(({ service, others }) => [service, others] as const)]);
    }
    if (now - (began ?? complete) > plan.maxWaitMs) throw new CliError(`there were too few calls to compare within ${formatDuration(plan.maxWaitMs)} (${progress(decisive, plan)})`);
    if (now - said > SAY_MS) {
      said = now;
      say(`${label}  ${progress(decisive, plan)}`);
    }
    await sleep(poll, { signal });
  }
}

const isComplete = ({ stats, behind, silent }: Asked): boolean => stats.length > 0 && behind.length === 0 && silent.length === 0;

function missing({ behind, silent }: Asked): string {
  const parts = [...(behind.length > 0 ? [`${behind.join(', ')} did not apply the rule`] : []), ...(silent.length > 0 ? [`${silent.join(', ')} did not answer`] : [])];
  return parts.length === 0 ? 'no gateway is there any more' : `of the gateways, ${parts.join(' and ')}`;
}

/** Where too few are left on other versions, those of earlier steps stand for them. */
function withBaseline(group: Compared, baseline: Baseline, { minCalls }: CanaryPlan): Compared {
  return group.others.calls >= minCalls ? group : { ...group, others: baseline.get(group.service) ?? group.others };
}

/** By whose calls it is judged whether there were enough: the service's own where it is called at the gateway, else those that may lead to it. */
function decisiveOf(groups: readonly Compared[], { service }: Release): readonly Compared[] {
  const own = groups.filter((group) => group.service === service);
  return own.length > 0 ? own : groups;
}

function progress(groups: readonly Compared[], { minCalls }: CanaryPlan): string {
  const [best] = [...groups].sort((a, b) => b.canary.calls - a.canary.calls);
  const { canary, others } = best ?? { canary: NO_FIGURES, others: NO_FIGURES };
  return `${String(canary.calls)} calls of those in the share and ${String(others.calls)} others so far; each needs ${String(minCalls)}`;
}

const words = (figures: Figures): string => `${String(figures.calls)} calls, ${percent(errorRate(figures))} failed, p99 ${ms(quantile(figures, 0.99))}`;

function figureLines(groups: readonly Compared[], { service, version }: Release): readonly string[] {
  return groups.map((group) => `${group.service === service ? version : `through ${group.service}`}: ${words(group.canary)}; others: ${words(group.others)}`);
}
