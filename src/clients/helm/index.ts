export { classifyHelmOutput } from './classify.ts';
export { createHelmClient } from './client.ts';
export { HelmError } from './errors.ts';
export { boundSeconds } from './bounded.ts';
export { awaitEnd, endProcess, hasLivingWorker, type HelmProcess } from './processes.ts';
export {
  DamagedRecordError,
  decodeStoredRelease,
  helmSecretName,
  readStoredRelease,
  type StoredRelease,
  storedReleaseSchema,
  unpackStoredRelease,
} from './stored.ts';
export { recordSizeProblem } from './record-size.ts';
export { withPostRenderer } from './post-render.ts';
export { ChartRenderError, renderedManifest, template, type TemplateRequest } from './template.ts';
export type {
  HelmClient,
  HelmOptions,
  HelmRequest,
  ReapplyRequest,
  RollbackRequest,
  UpgradeRequest,
  UpgradeResult,
} from './requests.ts';
