import { duration, setting, type Setting } from '@talaria/config';
import type { AdmissionSettings, ServerLimits } from '@talaria/resilience';
import { z } from 'zod';

const count = (least: number) => z.int({ error: 'use a whole number' }).min(least);

const admissionSettings: z.ZodType<AdmissionSettings, unknown> = z
  .strictObject({
    enabled: z.boolean().optional(),
    min: count(1).optional(),
    max: count(1).optional(),
    tolerance: z.number().min(1).optional(),
    slack: duration({ min: 1 }).optional(),
  })
  .refine(({ min = 1, max = Infinity }) => min <= max, { path: ['min'], error: 'is above max' })
  .default({});

/** The live setting `server.admission`: empty by default, so that the server finds out by itself how much it can do at once. */
export const SERVER_ADMISSION: Setting<typeof admissionSettings> = setting(admissionSettings, {
  description: 'how many calls this server works on at once: within which bounds (min, max) it finds that out, when a call is slow (tolerance, slack), or whether it cares (enabled)',
});

const RATE = z.strictObject({ per_second: z.number().min(0).optional(), burst: z.number().min(1).optional(), wait: z.boolean().optional(), max_waiting: count(0).optional() });
const LIMITS = z.strictObject({ rate: RATE.optional(), total: RATE.optional(), concurrency: count(0).optional(), callers: z.record(z.string(), RATE).optional() });
const WHOM = 'use a contract or a method, such as account.v1.AccountService/GetAccount, or * for each method';

const serverLimits: z.ZodType<ServerLimits, unknown> = z
  .record(z.string().regex(/^(?:\*|[A-Za-z_][\w.]*(?:\/[A-Za-z_]\w*)?)$/, WHOM), LIMITS, { error: ({ code }) => (code === 'invalid_key' ? WHOM : undefined) })
  .default({});

/** The live setting `server.limits`: empty by default, so that as much is taken as contracts say. */
export const SERVER_LIMITS: Setting<typeof serverLimits> = setting(serverLimits, {
  description: 'how much this server takes of its methods (rate of each caller, total, concurrency, callers), by method, contract or * for each method, instead of what the contracts say',
});
