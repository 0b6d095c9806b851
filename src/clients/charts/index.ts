export { fileDigest } from './digest.ts';
export { type ChartAttempt, ChartDigestError, ChartUnavailableError } from './errors.ts';
export { type ChartState, type ChartStore, createChartStore } from './store.ts';
