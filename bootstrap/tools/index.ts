/** The exports that the rest of the product uses. */
export { acquireTools, removeGoCaches } from './acquire.ts';
export type { AcquireOptions, AcquiredTools } from './acquire.ts';
export { ToolNotNeededError, ToolsUnavailableError } from './errors.ts';
export { findInstalledTools } from './installed.ts';
export { MANIFEST, TOOL_NAMES } from './manifest/manifest.ts';
export { UnsupportedPlatformError, toolPlatform } from './platform.ts';
export { formatProgress } from './progress.ts';
export type {
  InstalledTool,
  Platform,
  ToolAttempt,
  ToolEnvironment,
  ToolName,
  ToolProgress,
  ToolStage,
} from './types.ts';
export { needsKubernetesAuthPlugin } from './go/vault.ts';
