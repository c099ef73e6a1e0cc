export { roundRobin } from './round-robin.ts';
export { retryNeverSent, type RetryNeverSentOptions } from './retry-never-sent.ts';
