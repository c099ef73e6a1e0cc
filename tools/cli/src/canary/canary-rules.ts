import { type JsonValue } from '@talaria/config/store';
import { CliError } from '../cli-error.ts';

/** Whose setting the rules are, and its name. */
export const GATEWAY = 'api.gateway';
export const RULES = 'gateway.rules';

/** A version of a service. */
export interface Release {
  readonly service: string;
  readonly version: string;
}

/** A rule as it is stored; only what matters here. */
interface StoredRule {
  readonly id: string;
  readonly match?: { readonly service?: string; readonly contract?: string; readonly method?: string };
  readonly share?: number;
  readonly action: { readonly version?: string };
}

const PREFIX = 'canary:';

/** The id of the rule that a canary of a release makes. */
export const ruleId = ({ service, version }: Release): string => `${PREFIX}${service}@${version}`;

const isOurs = (rule: StoredRule, service: string): boolean => rule.id.startsWith(`${PREFIX}${service}@`);

/** The rules that are stored. What is none is refused by the store and by gateways, and left alone here. */
const rulesOf = (stored: JsonValue | undefined): readonly StoredRule[] => (Array.isArray(stored) ? (stored as unknown as readonly StoredRule[]) : []);

/** Throws a `CliError` if rules are there that a canary of the release would get in the way of. `contracts`: those of the service. */
export function refuseOthers(stored: JsonValue | undefined, release: Release, contracts: ReadonlySet<string>): void {
  for (const rule of rulesOf(stored)) {
    if (rule.action?.version === undefined) continue;
    if (rule.id === ruleId(release) && (rule.share ?? 1) >= 1) throw new CliError(`${release.service} ${release.version} goes to everybody already, by the rule "${rule.id}" of ${RULES}.`);
    if (isOurs(rule, release.service)) continue;
    const { service, contract, method } = rule.match ?? {};
    const owned = contracts.has(contract ?? '') || contracts.has((method ?? '').split('/', 1)[0] ?? '');
    if (service === release.service || (service === undefined && owned)) {
      throw new CliError(`The rule "${rule.id}" of ${RULES} decides already which version of ${release.service} principals get, and no canary made it: take it out first ("talaria config get ${GATEWAY} ${RULES}").`);
    }
  }
}

function rule(release: Release, share: number): JsonValue {
  return { id: ruleId(release), match: { service: release.service }, share, action: { version: release.version } };
}

/** The stored rules with a share for the release: it comes first, so that whoever is not in it has what earlier canaries decided. */
export function withShare(stored: JsonValue | undefined, release: Release, share: number): JsonValue {
  return [rule(release, share), ...rulesOf(stored).filter(({ id }) => id !== ruleId(release))] as JsonValue;
}

/** The stored rules with the release for everybody, in place of what earlier canaries of the service decided. */
export function withAll(stored: JsonValue | undefined, release: Release): JsonValue {
  return [rule(release, 1), ...rulesOf(stored).filter((one) => !isOurs(one, release.service))] as unknown as JsonValue;
}
