/** What the suite needs of tools: all that the embedded environment needs. */
import type { ToolName } from '../../bootstrap/tools/index.ts';

export const toolNames: readonly ToolName[] = [
  'temporal',
  'helm',
  'kwokctl',
  'kwok',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'vault',
  'vault-plugin-auth-kubernetes',
];

/** What a real node needs besides. */
export const nodeToolNames: readonly ToolName[] = ['kubelet', 'kube-proxy', 'coredns'];
