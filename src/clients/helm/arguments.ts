/** What Helm is called with: arguments and environment. */
import { delimiter, join } from 'node:path';
import type { HelmOptions, HelmRequest, RollbackRequest, UpgradeRequest } from './requests.ts';

/**
 * Revisions that no platform version needs are removed when the next version is recorded, not by Helm's count of ten.
 */
const KEEP_ALL = ['--history-max', '0'];

export function upgradeArgs(options: HelmOptions, request: UpgradeRequest): string[] {
  return [
    'upgrade',
    '--install',
    request.release,
    request.chart,
    '--namespace',
    request.namespace,
    '--values',
    '-',
    '--labels',
    Object.entries(request.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    // Server-side apply refuses unknown fields anyway; checking them beforehand costs four times the CPU.
    '--disable-openapi-validation',
    '--hide-notes',
    ...describedAs(request),
    ...KEEP_ALL,
    ...commonArgs(options),
  ];
}

export function uninstallArgs(options: HelmOptions, { release, namespace }: HelmRequest): string[] {
  // What is left is watched afterwards, not waited for here.
  return ['uninstall', release, '--namespace', namespace, '--ignore-not-found', ...commonArgs(options)];
}

export function rollbackArgs(options: HelmOptions, request: RollbackRequest): string[] {
  const { release, namespace, revision } = request;
  return [
    'rollback',
    release,
    String(revision),
    '--namespace',
    namespace,
    '--server-side=true',
    '--force-conflicts',
    ...describedAs(request),
    ...KEEP_ALL,
    ...commonArgs(options),
  ];
}

function describedAs({ description }: Pick<HelmRequest, 'description'>): string[] {
  return description === undefined ? [] : ['--description', description];
}

/** Of an upgrade that does what a rollback does. */
export function reapplyArgs(): string[] {
  return ['--server-side=true', '--force-conflicts', '--no-hooks', '--reset-values'];
}

function commonArgs({ timeoutSeconds, kubernetes: { kubeconfig, context, inCluster } }: HelmOptions): string[] {
  return [
    // For hooks alone: readiness is watched, not waited for here. Ends before the process itself is ended.
    '--timeout',
    `${Math.max(1, Math.floor(timeoutSeconds * 0.9))}s`,
    // Several files go in by the environment: the option takes one.
    ...(inCluster || isList(kubeconfig) ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined || inCluster ? [] : ['--kube-context', context]),
  ];
}

function isList(kubeconfig: string): boolean {
  return kubeconfig.includes(delimiter);
}

/** For a KUBECONFIG of several files, which Helm merges as kubectl does. */
export function kubeconfigEnvironment({ kubernetes: { kubeconfig, inCluster } }: HelmOptions): Record<string, string> {
  return inCluster || !isList(kubeconfig) ? {} : { KUBECONFIG: kubeconfig };
}

/** Nothing of the user's Helm or kubectl is read or written. */
export function helmEnvironment(env: Readonly<Record<string, string>>, home: string): Record<string, string> {
  return {
    ...env,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
    HELM_DRIVER: 'secret',
    KUBECACHEDIR: join(home, 'discovery'),
    // Its client would otherwise slow itself down to 5 requests a second.
    HELM_QPS: '100',
    HELM_BURST_LIMIT: '200',
    // A short-lived process: collecting garbage and more threads cost more than they bring.
    GOGC: 'off',
    GOMEMLIMIT: '512MiB',
    GOMAXPROCS: '1',
  };
}
