import { type GatewayRule } from '@talaria/http';
import { setting, z } from '@talaria/service';

const MOST_RULES = 100;
/** Ids stand in headers. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}$/;
/** What baggage can tell from the rest of a preference. */
const VERSION = /^[^=!,\s]{1,128}$/;

const match = z.strictObject({
  service: z.string().regex(/^[^=!,\s]+$/, 'is a service, such as service.account').optional(),
  contract: z.string().min(1).optional(),
  method: z.string().regex(/^[^/\s]+\/[^/\s]+$/, 'is a contract and a method, such as account.v1.AccountService/GetAccount').optional(),
});

const time = z.iso.datetime({ offset: true, error: 'is a time such as 2026-01-31T00:00:00Z' });

const deprecate = z
  .strictObject({ since: time, sunset: time.optional(), link: z.url({ protocol: /^https?$/, error: 'is a URL with http or https' }).optional() })
  // RFC 9745, section 4.
  .refine(({ since, sunset }) => sunset === undefined || Date.parse(sunset) >= Date.parse(since), { error: 'sunset must not be before since' });

const action = z.union(
  [
    z.strictObject({ version: z.string().regex(VERSION, 'is a version without spaces, commas, = and !') }),
    z.strictObject({ throttle: z.strictObject({ rate: z.number().positive().max(1_000_000), burst: z.number().min(1).max(1_000_000) }) }),
    z.strictObject({ deprecate }),
  ],
  { error: 'is one of {"version":"2.0.0"}, {"throttle":{"rate":10,"burst":20}} and {"deprecate":{"since":"2026-01-31T00:00:00Z"}}' },
);

const rule = z
  .strictObject({ id: z.string().regex(ID, 'is letters, digits and . _ : @ / + -'), match: match.default({}), share: z.number().min(0).max(1).default(1), salt: z.string().min(1).max(200).optional(), action })
  .refine((one) => !('version' in one.action) || Object.keys(one.match).length > 0, { error: 'a rule of a version needs a service, contract or method in its match' });

/** Rules as they are written; the ids are unique. */
export const rulesSchema: z.ZodType<readonly GatewayRule[]> = z
  .array(rule)
  .max(MOST_RULES)
  .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, { error: 'two rules have the same id' })
  .default([]);

/** The live setting of the gateway's rules. */
export const ruleSettings = {
  'gateway.rules': setting(rulesSchema, { description: 'which versions of services a share of the principals gets, how many calls they may make, and which methods are deprecated; in order' }),
};
