import { duration, setting, type Setting } from '@talaria/config';
import type { FaultRule } from '@talaria/resilience';
import { z } from 'zod';

/** The statuses that a fault can have. */
const STATUSES = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

const WHAT = 'give one of delay, error, abort, blackhole, corrupt and trickle; delay also together with another one';

const FAULT = z
  .strictObject({
    delay: duration().optional(),
    jitter: duration().optional(),
    error: z.strictObject({ code: z.enum(STATUSES), message: z.string().max(1_000).optional() }).optional(),
    abort: z.strictObject({ afterMessages: z.int().min(0) }).optional(),
    blackhole: z.literal(true).optional(),
    corrupt: z.literal([true, 'flip']).optional(),
    trickle: z.strictObject({ bytesPerSecond: z.number().positive() }).optional(),
  })
  .superRefine(({ delay, jitter, ...others }, { addIssue }) => {
    const given = Object.values(others).filter((each) => each !== undefined).length;
    if (given > 1 || (given === 0 && delay === undefined)) addIssue({ code: 'custom', message: WHAT });
    if (jitter !== undefined && delay === undefined) addIssue({ code: 'custom', path: ['jitter'], message: 'is by how much a delay varies: give delay too' });
  });

const RULE = z
  .strictObject({
    id: z.string().regex(/^[\w.-]{1,64}$/, 'use up to 64 letters, digits, ".", "_" and "-"').optional(),
    side: z.enum(['client', 'server'], { error: 'use client (calls that the service makes) or server (calls that it serves)' }),
    method: z.string().regex(/^[A-Za-z_][\w.]*(?:\/\w*)?\*?$|^\*$/, 'use a method, a contract, a package or a prefix with * behind it, such as account.v1.AccountService/GetAccount').optional(),
    caller: z.string().min(1).optional(),
    instance: z.string().min(1).optional(),
    address: z.string().regex(/^\S+$/, 'use host:port').optional(),
    percentage: z.number({ error: 'use a number from 0 to 100' }).min(0).max(100).optional(),
    header: z.strictObject({ name: z.string().regex(/^[a-z0-9_.-]+$/, 'use the name of a header, in small letters'), value: z.string().optional() }).optional(),
    fault: FAULT,
  })
  .refine(({ side, address }) => address === undefined || side === 'client', { path: ['address'], error: 'is where a call goes, so that it needs side client' });

const REFUSED = 'faults are not allowed in this process: start the service with TALARIA_FAULTS=allow, or unset faults.rules';

/** Whether a program with this environment may inject faults. Fixed at its start, so that no live setting alone can break calls. */
export function faultsAllowed(env: Readonly<Record<string, string | undefined>>): boolean {
  return env['TALARIA_FAULTS'] === 'allow';
}

/** The live setting `faults.rules`: empty by default, and refused unless it is empty or faults are allowed. */
export function faultRulesSetting(allowed: boolean): Setting<z.ZodType<readonly FaultRule[], unknown>> {
  const rules: z.ZodType<readonly FaultRule[], unknown> = z
    .array(RULE)
    .max(100)
    .refine((given) => allowed || given.length === 0, { error: REFUSED })
    .refine((given) => new Set(given.map(({ id }, index) => id ?? `rule-${index + 1}`)).size === given.length, { error: 'two rules have the same id' })
    .default([]);
  return setting(rules, { description: 'what goes wrong on purpose with calls of this service; the first rule that hits a call decides' });
}
