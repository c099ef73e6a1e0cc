export { KINDS, kindOf, type Kind, type KindName } from './catalogue.ts';
export { ErrorSet, isUnforeseen, publicError, KIND_SEVERITY, type KeyedError } from './error-set.ts';
export { fromWire, toWire, wireDetails, type WireDetails, type WireError } from './grpc.ts';
export { toProblem, type Problem } from './http.ts';
export {
  augment,
  badRequest,
  cancelled,
  conflict,
  forbidden,
  hasCode,
  internal,
  notFound,
  preconditionFailed,
  rateLimited,
  ServiceError,
  timeout,
  unauthorized,
  unavailable,
  unimplemented,
  type FieldViolation,
  type ServiceErrorOptions,
} from './service-error.ts';
