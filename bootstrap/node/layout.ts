/** Where a real node keeps its files, and what its parts on the machine are called. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Layout } from '../layout.ts';

/** The node's name in the cluster. */
export const NODE_NAME = 'real-0';

export interface NodeLayout {
  /** `node/` of the environment's state folder. */
  root: string;
  /** Handles of its namespaces: files `net` and `mnt`. */
  namespaces: string;
  net: string;
  mnt: string;
  /** Configuration of its programs. */
  config: string;
  pki: string;
  /** Data of the volumes; they stay until the environment is purged or their claims are deleted. */
  volumes: string;
  /** Which range it uses and what was changed on the machine for its sake. */
  record: string;
  lock: string;
  /** Names that are the same for the same state folder, and no others. */
  id: string;
  /** This machine's end of the link. */
  link: string;
  /** Of nftables, on this machine; only with a way out. */
  table: string;
  /** Above the control groups of its pods. */
  cgroup: string;
}

export function nodeLayout({ root: environmentRoot, run }: Pick<Layout, 'root' | 'run'>): NodeLayout {
  const root = join(environmentRoot, 'node');
  const id = createHash('sha256').update(environmentRoot).digest('hex').slice(0, 8);
  return {
    root,
    namespaces: join(root, 'ns'),
    net: join(root, 'ns', 'net'),
    mnt: join(root, 'ns', 'mnt'),
    config: join(root, 'config'),
    pki: join(root, 'pki'),
    volumes: join(root, 'volumes'),
    record: join(root, 'node.json'),
    lock: join(run, 'node-ground.lock'),
    id,
    link: `ananta-${id}`,
    table: `ananta_${id}`,
    cgroup: `ananta-${id}`,
  };
}

/**
 * Folders that the programs of a node have hard-wired, and the folder below ours that stands in for each in the node's
 * mount namespace: nothing is written to the machine's own.
 */
export const STAND_INS: readonly [path: string, folder: string][] = [
  ['/run/containerd', 'run'],
  ['/var/lib/containerd', 'containerd'],
  ['/var/lib/kubelet', 'kubelet'],
  ['/var/lib/cni', 'cni'],
  ['/var/log/pods', 'pod-logs'],
  ['/var/log/containers', 'container-logs'],
];

/** As the node's programs see it. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
