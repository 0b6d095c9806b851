/** Everything that an environment embeds on this machine: tools, engine, cluster, Vault, worker. */
export { ComponentError } from './component.ts';
export { type DownOptions, type Purged, down, purge } from './down.ts';
export { deleteKind, KindUnavailableError, stopKind } from './kind/index.ts';
export { COMPONENTS, type ComponentName, type Layout, layoutOf, logFileOf, pidFileOf } from './layout.ts';
export { type LocalStackEvent, type Report, formatLocalStackEvent } from './report.ts';
export { type ComponentState, componentStates } from './states.ts';
export { superviseWhile } from './supervise.ts';
export { runningOperations } from './worker/index.ts';
export { type UpOptions, up } from './up.ts';
export { type Requirement, importImages, NodePreflightError, nodeRequirements } from './node/index.ts';
