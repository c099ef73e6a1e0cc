import { BinaryReader } from '@bufbuild/protobuf/wire';
import { Limits, type RateLimit } from '@talaria/contracts/talaria/options/v1/options';
import type { RateSettings } from '../calls/policy-settings.ts';

/** How much a server takes of a method, by instance, as a contract or a live setting says it. What is absent is as a less specific place says. */
export interface MethodLimitSettings {
  /** Of each caller. */
  readonly rate?: RateSettings | undefined;
  /** Of all callers together. */
  readonly total?: RateSettings | undefined;
  /** How many calls run at once; 0 means no limit. Default 0. */
  readonly concurrency?: number | undefined;
  /** Of callers by name, such as `service.webhook`, instead of `rate`: field by field. */
  readonly callers?: Readonly<Record<string, RateSettings>> | undefined;
}

/**
 * How much a server takes: by method (`account.v1.AccountService/GetAccount`), for each method of a contract
 * (`account.v1.AccountService`), for each method there is (`*`). Field by field, the most specific that says something wins.
 */
export type ServerLimits = Readonly<Record<string, MethodLimitSettings>>;

/** `talaria.options.v1.limits`, as ts-proto keeps an extension of `google.protobuf.MethodOptions`: number 52005, length-delimited. */
const LIMITS_TAG = (52005 << 3) | 2;

interface KnownOptions {
  readonly limits?: MethodLimitSettings;
  readonly _unknownFields?: Readonly<Record<number, readonly Uint8Array[] | undefined>>;
}

const positive = (value: number): number | undefined => (value > 0 ? value : undefined);

function rateOf(rate: RateLimit | undefined): RateSettings | undefined {
  return rate && { per_second: positive(rate.perSecond), burst: positive(rate.burst), wait: rate.wait || undefined, max_waiting: positive(rate.maxWaiting) };
}

/** What the options of a method say of its limits: `talaria.options.v1.limits`, or `limits` in definitions that are made at run time. */
export function contractLimits(options: object | undefined): MethodLimitSettings {
  const { limits, _unknownFields: unknown } = (options ?? {}) as KnownOptions;
  if (limits) return limits;
  // Compilers write `(limits).rate` and `(limits).total` as two of them.
  return merged((unknown?.[LIMITS_TAG] ?? []).map((bytes) => {
    const { rate, total, concurrency } = Limits.decode(new BinaryReader(bytes).bytes());
    return { rate: rateOf(rate), total: rateOf(total), concurrency: positive(concurrency) };
  }));
}

/** Later ones win, field by field. */
function mergedRates(layers: readonly (RateSettings | undefined)[]): RateSettings {
  const said = layers.flatMap((layer) => Object.entries(layer ?? {}).filter(([, value]) => value !== undefined));
  return Object.fromEntries(said) as RateSettings;
}

function merged(layers: readonly (MethodLimitSettings | undefined)[]): MethodLimitSettings {
  const names = new Set(layers.flatMap((layer) => Object.keys(layer?.callers ?? {})));
  const ofCaller = (name: string): RateSettings => mergedRates(layers.map((layer) => (layer?.callers && Object.hasOwn(layer.callers, name) ? layer.callers[name] : undefined)));
  return {
    rate: mergedRates(layers.map((layer) => layer?.rate)),
    total: mergedRates(layers.map((layer) => layer?.total)),
    concurrency: layers.findLast((layer) => layer?.concurrency !== undefined)?.concurrency,
    callers: Object.fromEntries([...names].map((name) => [name, ofCaller(name)])),
  };
}

/** The limits of a method: its contract's options ← live `*` ← live contract ← live method. */
export function resolveLimits(contract: string, method: string, options: MethodLimitSettings, live: ServerLimits | undefined): MethodLimitSettings {
  const own = (key: string): MethodLimitSettings | undefined => (live && Object.hasOwn(live, key) ? live[key] : undefined);
  return merged([options, own('*'), own(contract), own(`${contract}/${method}`)]);
}
