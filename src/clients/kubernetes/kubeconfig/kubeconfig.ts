/** From what the environment says to a loaded kubeconfig, with the mistakes people make spelled out. */
import { readFileSync } from 'node:fs';
import type { Connections } from '../../../environment/connections.ts';
import { proxyFor } from '../../../process/proxies.ts';
import { KubeconfigError } from '../errors.ts';
import { KubeConfig } from './kubeconfig-class.ts';
import { type KubeconfigDocument, kubeconfigPaths, readKubeconfig } from './kubeconfig-files.ts';
import { createExecLogin, EXEC_LOGIN, type ExecLogin } from './login.ts';

type Connection = Connections['kubernetes'];

/**
 * @param login by plug-in: keeps what it got from one reading of the files to the next
 * @throws KubeconfigError when the file is missing or damaged, or has no such context
 */
export function loadKubeconfig(connection: Connection, login: ExecLogin = createExecLogin()): KubeConfig {
  const config = new KubeConfig();
  if (connection.inCluster) {
    config.loadFromCluster();
    return config;
  }
  const document = withClusterInfo(readKubeconfig(connection.kubeconfig), connection.context);
  const context = contextOf(connection, document);
  try {
    config.loadFromString(
      JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...document, 'current-context': context }),
    );
  } catch (error) {
    throw new KubeconfigError(
      `The kubeconfig ${named(connection)} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new KubeconfigError(`The kubeconfig ${named(connection)} names no cluster for its current context.`);
  if (!URL.canParse(cluster.server))
    throw new KubeconfigError(
      `The kubeconfig ${named(connection)} has no address for the cluster "${cluster.name}" (server: ${JSON.stringify(cluster.server)}).`,
    );
  // As kubectl and Helm: what the file names comes first.
  const proxy = connection.proxies === undefined ? undefined : proxyFor(cluster.server, connection.proxies);
  if (cluster.proxyUrl === undefined && proxy !== undefined)
    config.clusters = config.clusters.map((one) => (one === cluster ? { ...one, proxyUrl: proxy } : one));
  config.addAuthenticator(login);
  return config;
}

/**
 * The one context of the connection with its cluster and user, as a file of its own: whoever changes something in it
 * changes no file of the user's. It may hold credentials.
 * @throws KubeconfigError
 */
export function ownKubeconfig(connection: Connection): string {
  const document = readKubeconfig(connection.kubeconfig);
  const context = contextOf(connection, document);
  const used = partOf(document.contexts, context, 'context');
  const named = <T extends { name: string }>(all: readonly T[], name: unknown): T[] =>
    all.filter((one) => one.name === name);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    contexts: named(document.contexts, context),
    clusters: named(document.clusters, used['cluster']),
    users: named(document.users, used['user']),
  });
}

/**
 * Whether whoever talks to this cluster has to start a plug-in to log in: Helm starts it, too, and both need the
 * variables that it asks for.
 */
export function usesExecLogin(connection: Connection): boolean {
  if (connection.inCluster) return false;
  try {
    const user: { authProvider?: { name?: unknown } | null } | null = loadKubeconfig(connection).getCurrentUser();
    return user?.authProvider?.name === EXEC_LOGIN;
  } catch {
    // Reported by the caller.
    return false;
  }
}

function contextOf({ context, kubeconfig }: Connection, document: KubeconfigDocument): string {
  if (context === undefined) return document['current-context'];
  const known = document.contexts.map(({ name }) => name);
  if (known.includes(context)) return context;
  throw new KubeconfigError(
    `The kubeconfig ${kubeconfigPaths(kubeconfig).join(', ')} has no context "${context}" (it has: ${known.join(', ') || 'none'}). Correct cluster.context in the environment file.`,
  );
}

/** What a plug-in gets about the cluster, where it asks for it (`provideClusterInfo`). */
function withClusterInfo(document: KubeconfigDocument, context = document['current-context']): KubeconfigDocument {
  const used = partOf(document.contexts, context, 'context');
  const cluster = partOf(document.clusters, used['cluster'], 'cluster');
  const ca = cluster['certificate-authority'];
  const extensions = (cluster['extensions'] ?? []) as { name?: string; extension?: unknown }[];
  const info = {
    server: cluster['server'],
    'tls-server-name': cluster['tls-server-name'],
    'proxy-url': cluster['proxy-url'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'certificate-authority-data':
      cluster['certificate-authority-data'] ?? (typeof ca === 'string' ? base64Of(ca) : undefined),
    config: extensions.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension,
  };
  const users = document.users.map((part) => {
    const { 'auth-provider': provider, ...user } = part['user'] as {
      'auth-provider'?: { name: string; config: object };
    };
    if (part.name !== used['user'] || provider?.name !== EXEC_LOGIN) return part;
    return {
      ...part,
      user: { ...user, 'auth-provider': { ...provider, config: { ...provider.config, cluster: info } } },
    };
  });
  return { ...document, users };
}

function partOf(parts: KubeconfigDocument['users'], name: unknown, key: string): Record<string, unknown> {
  return (parts.find((part) => part.name === name)?.[key] ?? {}) as Record<string, unknown>;
}

function base64Of(path: string): string | undefined {
  try {
    return readFileSync(path).toString('base64');
  } catch {
    // Reported when the connection is made.
    return undefined;
  }
}

function named({ kubeconfig }: Connection): string {
  return kubeconfigPaths(kubeconfig).join(', ');
}
