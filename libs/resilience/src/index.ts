// Which instance gets a call.
export { liveEjection } from './balance/live-ejection.ts';
export { balancedPicker } from './balance/balanced-picker.ts';
export type { BalanceOptions, EjectionOptions } from './balance/options.ts';

// Rates: of those who call, and of those who are called.
export { tokenBucket, type TokenBucket, type TokenBucketOptions } from './rate/token-bucket.ts';
export { tokenBuckets, type TokenBuckets, type TokenBucketsOptions } from './rate/token-buckets.ts';

// Faults, on purpose.
export { createFaults, type Faults, type FaultsOptions } from './faults/faults.ts';
export type { ActiveRule } from './faults/active-rule.ts';
export type { Fault, FaultRule, StatusName } from './faults/fault-rule.ts';
export { faultyTransport } from './faults/faulty-transport.ts';

// How calls are made: retries, hedges, breakers, and the rates of those who call.
export { callPolicies, type CallPoliciesOptions } from './calls/call-policies.ts';
export type { BreakerSettings, BudgetSettings, CallPolicySettings, EjectionSettings, HedgeSettings, MethodPolicySettings, RateSettings, RetrySettings } from './calls/policy-settings.ts';

// What to answer when a dependency is gone.
export { answer, degraded, staleAnswers, type AnswerFallback, type Fallback, type FallbackKind, type Fallbacks, type StaleFallback, type StaleOptions } from './fallbacks/fallback.ts';
export { createFallbackUse, type FallbackStats, type FallbackUse } from './fallbacks/fallback-use.ts';
export { FALLBACK_KEY, withFallbacks, type WithFallbacksOptions } from './fallbacks/with-fallbacks.ts';

// Which calls a server takes.
export { admission, type AdaptiveAdmission, type AdmissionOptions, type AdmissionSettings, type AdmissionTicket } from './admission/admission.ts';
export type { AdmissionState } from './admission/admission-state.ts';
export type { LimitBounds } from './admission/concurrency-limit.ts';
export type { MethodLimitSettings, ServerLimits } from './admission/limit-settings.ts';
export type { RefusalReason } from './admission/refusals.ts';

// Streams that outlive their servers.
export { resumable, type Position, type ResumableOptions } from './resume/resumable.ts';
export type { ResumeCall } from './resume/source.ts';
export { untilLeaving } from './resume/until-leaving.ts';
