import { duration, setting, type Setting } from '@talaria/config';
import type { CallPolicySettings } from '@talaria/resilience';
import { z } from 'zod';

const TIME = 'a time such as 50ms or 1s';
const time = duration({ min: 1 });
const word = <const T extends string>(...words: readonly T[]) => z.union([z.literal(words), time], { error: `use ${words.join(', ')} or ${TIME}` });
const count = (least: number) => z.int({ error: 'use a whole number' }).min(least);

const POLICY = z.strictObject({
  retry: z.strictObject({ attempts: count(1).max(10).optional(), backoff: time.optional(), max_backoff: time.optional() }).optional(),
  hedge: z.strictObject({ enabled: z.boolean().optional(), after: word('p95').optional() }).optional(),
  breaker: z
    .strictObject({
      mode: z.enum(['auto', 'open', 'closed'], { error: 'use auto, open (refuse all calls) or closed (refuse none)' }).optional(),
      consecutive_failures: count(1).optional(),
      k: z.number().min(1).optional(),
    })
    .optional(),
  attempt_timeout: word('auto', 'none').optional(),
  rate: z.strictObject({ per_second: z.number().min(0).optional(), burst: z.number().min(1).optional(), wait: z.boolean().optional(), max_waiting: count(0).optional() }).optional(),
  budget: z.strictObject({ ratio: z.number().min(0).max(10).optional(), per_second: z.number().min(0).optional() }).optional(),
  ejection: z
    .strictObject({
      enabled: z.boolean().optional(),
      consecutive_failures: count(1).optional(),
      slow_factor: z.number().min(1).optional(),
      slow_by: time.optional(),
      silent: time.optional(),
      base: time.optional(),
      max: time.optional(),
    })
    .optional(),
});

const WHOM = 'use a contract or a method, such as account.v1.AccountService/GetAccount, or * for all';
const policies: z.ZodType<CallPolicySettings, unknown> = z
  .record(z.string().regex(/^(?:\*|[A-Za-z_][\w.]*(?:\/[A-Za-z_]\w*)?)$/, WHOM), POLICY, { error: ({ code }) => (code === 'invalid_key' ? WHOM : undefined) })
  .superRefine((given, { addIssue }) => {
    for (const [key, policy] of Object.entries(given)) {
      for (const part of ['budget', 'ejection'] as const) {
        if (policy[part] && key.includes('/')) addIssue({ code: 'custom', path: [key, part], message: 'is of all methods of a contract together: set it for the contract or for *' });
      }
    }
  })
  .default({});

/** The live setting `call.policies`: empty by default, so that calls are made as contracts say. */
export const CALL_POLICIES: Setting<typeof policies> = setting(policies, {
  description: 'how other services are called (retries, hedges, breaker, rate, attempt timeout, ejection), by method, contract or * for all, instead of what the contracts say',
});
