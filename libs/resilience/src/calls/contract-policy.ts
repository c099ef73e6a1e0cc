import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Duration } from '@talaria/contracts/google/protobuf/duration';
import { Breaker_Mode, CallPolicy } from '@talaria/contracts/talaria/options/v1/options';
import { mergedSettings, type MethodPolicySettings } from './policy-settings.ts';

/** `talaria.options.v1.policy`, as ts-proto keeps an extension of `google.protobuf.MethodOptions`: number 52003, length-delimited. */
const POLICY_TAG = (52003 << 3) | 2;

interface KnownOptions {
  readonly policy?: MethodPolicySettings;
  readonly _unknownFields?: Readonly<Record<number, readonly Uint8Array[] | undefined>>;
}

const MODES = { [Breaker_Mode.MODE_UNSPECIFIED]: undefined, [Breaker_Mode.MODE_AUTO]: 'auto', [Breaker_Mode.MODE_CLOSED]: 'closed' } as const;

/** In ms; undefined for one that is not positive. */
function ms(duration: Duration | undefined): number | undefined {
  const found = duration && Number(duration.seconds) * 1000 + duration.nanos / 1e6;
  return found !== undefined && found > 0 ? found : undefined;
}

const positive = (value: number | undefined): number | undefined => (value !== undefined && value > 0 ? value : undefined);

function settingsOf(bytes: Uint8Array): MethodPolicySettings {
  const { retry, hedge, breaker, attemptTimeout, rate } = CallPolicy.decode(new BinaryReader(bytes).bytes());
  return {
    retry: retry && { attempts: positive(retry.attempts), backoff: ms(retry.backoff), max_backoff: ms(retry.maxBackoff) },
    hedge: hedge && { enabled: hedge.enabled, after: ms(hedge.after) },
    breaker: breaker && { mode: MODES[breaker.mode], consecutive_failures: positive(breaker.consecutiveFailures), k: breaker.k !== undefined && breaker.k >= 1 ? breaker.k : undefined },
    attempt_timeout: ms(attemptTimeout),
    rate: rate && { per_second: positive(rate.perSecond), burst: positive(rate.burst), wait: rate.wait || undefined, max_waiting: positive(rate.maxWaiting) },
  };
}

/**
 * How the options of a method want it called: what `talaria.options.v1.policy` says, or `policy` in definitions that are made at run time.
 * What cannot be meant (a length of time or a count of 0) says nothing.
 */
export function contractPolicy(options: object | undefined): MethodPolicySettings {
  const { policy, _unknownFields: unknown } = (options ?? {}) as KnownOptions;
  if (policy) return policy;
  // Compilers write `(policy).retry.attempts` and `(policy).hedge.after` as two of them.
  return mergedSettings((unknown?.[POLICY_TAG] ?? []).map(settingsOf));
}
