export { arrivalTimes, type Arrivals } from './arrivals.ts';
export { latencies, type Latencies, type LatencyRecorder } from './latencies.ts';
export { openLoop, type CallRecord, type OpenLoopOptions } from './open-loop.ts';
export type { Latency, LoadResult, SecondResult, Tick } from './result.ts';
