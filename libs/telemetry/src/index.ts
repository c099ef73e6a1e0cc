export { ambientFields } from './ambient.ts';
export { REQUEST_ID_KEY } from './server-middleware.ts';
export { startTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.ts';
export { samplingRatio } from './settings.ts';
