export { accessError, ensureSearchAttributes, openNamespace } from './connection/access.ts';
export { bindCluster, readBinding, rebindCluster, recentBinding } from './binding.ts';
export {
  closeTemporal,
  connectTemporal,
  EngineUnreachableError,
  engineConnectionOptions,
  keysOf,
  pollersOf,
} from './connection/connect.ts';
export {
  type DeploymentDescription,
  type DeploymentHandle,
  type StartedRun,
  deploymentsOf,
  DeploymentRunningError,
  describeDeployment,
  isRunAlive,
  latestDeployment,
  startOrAttach,
} from './deployments.ts';
export { EngineAccessError } from './errors.ts';
export { followDeployment, type FollowOptions } from './histories/follow.ts';
export { DeploymentTerminatedError } from './histories/history.ts';
export {
  createSchedules,
  type Schedules,
  type ScheduleView,
  type WantedByCron,
  type WantedSchedule,
} from './schedules.ts';
export { type OperationHistory, readOperation } from './histories/operation-history.ts';
export { type ReachedEngine, reachEngine } from './connection/reach.ts';
export { buildsAtWork, setCurrentVersion, workerVersions, type WorkerVersions } from './versions.ts';
