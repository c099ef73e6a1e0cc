import { bucketOf, BUCKETS, systemClock, type Clock, type LiveSetting } from '@talaria/base';
import { rateLimited, type ServiceError } from '@talaria/errors';
import { formatVersionPreferences, VERSIONS_BAGGAGE, type VersionPreference } from '@talaria/rpc';
import { ruleCounters, type CallEnd, type RuleCounters, type RuleStats } from './rule-counters.ts';
import { deprecationHeaders, mergeHeaders, rateLimitHeaders, type RuleHeaders } from './rule-headers.ts';
import { matches, versionedService, type GatewayRule, type RuledCall } from './rule.ts';
import { tokenBuckets, type TokenBuckets } from './token-buckets.ts';

/** What rules make of one call. */
export interface Ruled {
  /** For the answer, whatever it is. */
  readonly headers: RuleHeaders;
  /** Set when a rule refuses the call. */
  readonly refusal?: ServiceError | undefined;
  /** What goes along with the call. */
  readonly baggage: readonly (readonly [name: string, value: string])[];
  /** Counts how the call ended; undefined when no rule is for it. */
  readonly ended?: ((end: CallEnd) => void) | undefined;
}

/** The rules of a gateway at work. */
export interface GatewayRules {
  /** What they make of a call, when it is known who makes it. A call without a principal has no id. */
  apply(call: RuledCall, principalId: string | undefined): Ruled;
  /** Whether a method is deprecated for anybody. */
  isDeprecated(call: RuledCall): boolean;
  /** What was counted, in the order of the rules. */
  stats(): readonly RuleStats[];
  /** The rules as they are now; another array after each change. */
  readonly current: readonly GatewayRule[];
}

/** How many principals each throttle remembers: 100,000 take some 20 MB. */
const MOST_PRINCIPALS = 100_000;
const NOTHING: Ruled = { headers: {}, baggage: [] };

/** A rule with what it remembers; kept as long as the rule reads the same. */
interface Working {
  readonly rule: GatewayRule;
  readonly text: string;
  readonly counters: RuleCounters;
  readonly buckets: TokenBuckets | undefined;
}

function inShare({ id, salt = id, share }: GatewayRule, principalId: string | undefined): boolean {
  if (share >= 1) return true;
  return principalId !== undefined && bucketOf(salt, principalId) < share * BUCKETS;
}

/** What principals are told who make too many calls. */
function tooMany(id: string, waitMs: number): ServiceError {
  return rateLimited('throttled', 'Too many calls: wait as long as Retry-After says, and make fewer.', { params: { rule: id }, retryAfterMs: Math.max(1, Math.ceil(waitMs)) });
}

/** Puts rules to work, and follows their changes. */
export function gatewayRules(rules: LiveSetting<readonly GatewayRule[]>, clock: Clock = systemClock): GatewayRules {
  let from: readonly GatewayRule[] | undefined;
  let working: readonly Working[] = [];

  /** Asked at each call instead of told: then a call never meets rules that are half old. */
  const all = (): readonly Working[] => {
    const now = rules.get();
    if (now === from) return working;
    const before = new Map(working.map((one) => [one.text, one]));
    from = now;
    working = now.map((rule) => {
      const text = JSON.stringify(rule);
      const buckets = 'throttle' in rule.action ? tokenBuckets({ ...rule.action.throttle, clock, mostSubjects: MOST_PRINCIPALS }) : undefined;
      return before.get(text) ?? { rule, text, counters: ruleCounters(new Date(clock.now())), buckets };
    });
    return working;
  };

  return {
    apply(call, principalId) {
      const found = all().filter(({ rule }) => matches(rule, call));
      if (found.length === 0) return NOTHING;
      const headers: RuleHeaders[] = [];
      const versions = new Map<string, VersionPreference>();
      const counted: (readonly [RuleCounters, boolean])[] = [];
      let refusal: ServiceError | undefined;
      for (const { rule, counters, buckets } of found) {
        const { action } = rule;
        let applied = inShare(rule, principalId);
        if ('version' in action) {
          const service = versionedService(rule, call);
          const earlier = versions.get(service);
          // An earlier rule has decided.
          applied &&= earlier?.only === undefined;
          if (applied) versions.set(service, { only: action.version, not: [] });
          else if (earlier?.only === undefined) versions.set(service, { not: [...(earlier?.not ?? []), action.version] });
        } else if ('throttle' in action) {
          applied &&= principalId !== undefined;
          if (applied && principalId !== undefined && buckets && !refusal) {
            const take = buckets.take(principalId);
            headers.push(rateLimitHeaders(rule.id, action.throttle, take));
            if (!take.taken) {
              counters.refuse();
              refusal = tooMany(rule.id, take.waitMs);
            }
          }
        } else if (applied) headers.push(deprecationHeaders(action.deprecate));
        counted.push([counters, applied]);
      }
      const baggage = formatVersionPreferences(versions);
      return {
        headers: mergeHeaders(headers),
        refusal,
        baggage: baggage === '' ? [] : [[VERSIONS_BAGGAGE, baggage]],
        ended: (end) => {
          for (const [counters, applied] of counted) counters.count(call.service, applied, end);
        },
      };
    },
    isDeprecated: (call) => all().some(({ rule }) => 'deprecate' in rule.action && rule.share > 0 && matches(rule, call)),
    stats: () => all().map(({ rule: { id, share }, counters }) => ({ id, share, ...counters.stats() })),
    get current() {
      return rules.get();
    },
  };
}
