import type { EvaluationContext, FlagValue, FlagValueType, JsonValue, ResolutionDetails } from '@openfeature/core';
import { OpenFeatureEventEmitter, type Provider } from '@openfeature/server-sdk';
import { currentCall } from '@talaria/context';
import type { FlagEvaluator } from './evaluator.ts';

/** A provider whose events can be told. */
export interface TalariaProvider extends Provider {
  readonly events: OpenFeatureEventEmitter;
}

/** Within a call, whoever is not named is the principal on whose behalf it is made. */
export function inCall(context: EvaluationContext): EvaluationContext {
  if (context.targetingKey !== undefined) return context;
  const principal = currentCall().principal?.id;
  return principal === undefined ? context : { ...context, targetingKey: principal };
}

/** An OpenFeature provider. `loaded` resolves when flags are known, and rejects with the reason why they are not. */
export function createProvider(evaluator: FlagEvaluator, loaded: Promise<void>): TalariaProvider {
  const resolve = async <T extends FlagValue>(type: FlagValueType, flag: string, defaultValue: T, context: EvaluationContext): Promise<ResolutionDetails<T>> =>
    evaluator.resolve(type, flag, defaultValue, inCall(context));
  return {
    metadata: { name: 'talaria' },
    runsOn: 'server',
    events: new OpenFeatureEventEmitter(),
    initialize: () => loaded,
    resolveBooleanEvaluation: (flag, defaultValue, context) => resolve('boolean', flag, defaultValue, context),
    resolveStringEvaluation: (flag, defaultValue, context) => resolve('string', flag, defaultValue, context),
    resolveNumberEvaluation: (flag, defaultValue, context) => resolve('number', flag, defaultValue, context),
    resolveObjectEvaluation: <T extends JsonValue>(flag: string, defaultValue: T, context: EvaluationContext) => resolve('object', flag, defaultValue as FlagValue, context) as Promise<ResolutionDetails<T>>,
  };
}
