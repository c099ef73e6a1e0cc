import { GatewayServiceDefinition, type RuleStats } from '@talaria/contracts/talaria/gateway/v1/gateway';
import type { PlatformClient } from '@talaria/service';

/** What all gateways say of a rule. */
export interface Asked {
  /** Of those where the rule has the share that is asked for. */
  readonly stats: readonly RuleStats[];
  /** Those where it has another, or is not there. */
  readonly behind: readonly string[];
  /** Those that did not answer. */
  readonly silent: readonly string[];
}

/** Asks every gateway that is there now. */
export interface Gateways {
  /** How many there are. */
  readonly count: number;
  ask(rule: string, share: number, signal: AbortSignal): Promise<Asked>;
}

const ANSWER_MS = 2_000;

/** The gateways of a platform. */
export function gatewaysOf({ client, service }: PlatformClient): Gateways {
  const gateway = client(GatewayServiceDefinition);
  const instances = (): readonly string[] => (service.endpoints(GatewayServiceDefinition.fullName) ?? []).flatMap(({ instance }) => instance ?? []);
  return {
    get count() {
      return instances().length;
    },
    async ask(rule, share, signal) {
      const answers = await Promise.all(
        instances().map(async (instance) => {
          try {
            const { rules } = await gateway.getRuleStats({ rule }, { instance, timeoutMs: ANSWER_MS, signal });
            return { instance, rule: rules[0] };
          } catch {
            return { instance, silent: true };
          }
        }),
      );
      return {
        stats: answers.flatMap((answer) => (answer.rule?.share === share ? [answer.rule] : [])),
        behind: answers.flatMap((answer) => (answer.silent || answer.rule?.share === share ? [] : [answer.instance])),
        silent: answers.flatMap((answer) => (answer.silent ? [answer.instance] : [])),
      };
    },
  };
}
