export type { AccessQuestion } from './access-review.ts';
export {
  createKubernetesClient,
  type GrantedRule,
  type JsonPatchOperation,
  type KubernetesClient,
  type ListOptions,
} from './client.ts';
export {
  ClusterMismatchError,
  isForbidden,
  isNotFound,
  KubeconfigError,
  KubernetesError,
  UnexpectedAnswerError,
  UnreachableError,
} from './errors.ts';
export { usesExecLogin } from './kubeconfig/kubeconfig.ts';
export { ClusterLoginError } from './kubeconfig/login.ts';
export { type Kind, kindKey, type Kinds, pathOfKind } from './kinds.ts';
export {
  decodedData,
  type KubernetesList,
  type KubernetesObject,
  later,
  managersOf,
  type ObjectMetadata,
  releaseOf,
} from './objects.ts';
export { paths } from './paths.ts';
export type { ExecResult, PodAddress } from './sockets.ts';
export { WATCHED_KINDS, type WatchedKind, type Watches } from './watches.ts';
