/** Which calls that come in at the gateway a rule is for: all that is given must fit; nothing given is every call. */
export interface RuleMatch {
  /** The service that owns the contract, such as `service.account`. In a rule of a version: the service that the version is of, see {@link RuleAction}. */
  readonly service?: string | undefined;
  /** Such as `account.v1.AccountService`. */
  readonly contract?: string | undefined;
  /** Such as `account.v1.AccountService/GetAccount`. */
  readonly method?: string | undefined;
}

/**
 * What a rule does:
 * - `version`: principals within the share get this version of a service, all others any other version, wherever their calls meet
 *   the service: at the gateway or behind it. The service is that of the match, or the owner of its contract or method; contract and
 *   method narrow down the calls that come in. Of several rules for a service the first whose share a principal is in holds.
 * - `throttle`: a principal may make `rate` calls a second, and `burst` at once after a pause; each gateway counts for itself.
 * - `deprecate`: answers say since when the method is deprecated, when it goes away (both RFC 3339) and where to read about it.
 */
export type RuleAction =
  | { readonly version: string }
  | { readonly throttle: { readonly rate: number; readonly burst: number } }
  | { readonly deprecate: { readonly since: string; readonly sunset?: string | undefined; readonly link?: string | undefined } };

/** One rule of a gateway. */
export interface GatewayRule {
  /** Names it in counters, headers and errors; unique. */
  readonly id: string;
  readonly match: RuleMatch;
  /**
   * Whom it is for: 0 (nobody) to 1 (everybody) of the principals, by `bucketOf(salt, principal id)`, so that whoever is in stays in when
   * the share grows. Calls without a principal, of methods that anyone may call, are in only when it is 1; they are never throttled.
   */
  readonly share: number;
  /** Rules of one salt and share are for the same principals. Default: the id. */
  readonly salt?: string | undefined;
  readonly action: RuleAction;
}

/** A call as rules see it. */
export interface RuledCall {
  readonly contract: string;
  /** Such as `GetAccount`. */
  readonly method: string;
  /** Who owns the contract. */
  readonly service: string;
}

/** The service whose version a rule decides, for one whose match names it by service, contract or method. */
export function versionedService({ match }: GatewayRule, call: RuledCall): string {
  return match.service ?? call.service;
}

/** Whether a rule is for calls of a method. */
export function matches({ match, action }: GatewayRule, call: RuledCall): boolean {
  if (match.contract !== undefined && match.contract !== call.contract) return false;
  if (match.method !== undefined && match.method !== `${call.contract}/${call.method}`) return false;
  // The service of a version may be met further behind.
  return 'version' in action || match.service === undefined || match.service === call.service;
}
