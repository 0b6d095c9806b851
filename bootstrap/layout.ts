/** Where the parts of one embedded environment keep their files. */
import { join } from 'node:path';
import { type Config, stateDir } from '../src/config.ts';

/** Every process that `up` may start, in the order in which `doctor` lists them. */
export const COMPONENTS = [
  'temporal',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok-controller',
  'responder',
  'vault',
  // Only with a real node.
  'node-agent',
  'containerd',
  'kubelet',
  'kube-proxy',
  'coredns',
  'worker',
] as const;
export type ComponentName = (typeof COMPONENTS)[number];

export interface Layout {
  environment: string;
  /** The environment's state folder; everything else is below it. */
  root: string;
  logs: string;
  run: string;
  ports: string;
  engine: string;
  /** kwokctl's own folder. */
  cluster: string;
  kubeconfig: string;
  vault: string;
  /** One file per service whose probes are to fail. */
  failures: string;
}

export function layoutOf(config: Config, environment: string): Layout {
  const root = stateDir(config, environment);
  return {
    environment,
    root,
    logs: join(root, 'logs'),
    run: join(root, 'run'),
    ports: join(root, 'run', 'ports.json'),
    engine: join(root, 'engine'),
    cluster: join(root, 'cluster'),
    kubeconfig: join(root, 'cluster', 'kubeconfig'),
    vault: join(root, 'vault'),
    failures: join(root, 'responder', 'failures'),
  };
}

export function pidFileOf(layout: Layout, component: ComponentName): string {
  return join(layout.run, `${component}.json`);
}

export function logFileOf(layout: Layout, component: ComponentName): string {
  return join(layout.logs, `${component}.log`);
}

/** Whoever holds it starts, restarts or stops the component; nobody else does. */
export function lockOf(layout: Layout, component: ComponentName): string {
  return join(layout.run, `${component}.lock`);
}
