/** All that the worker and the commands of one environment talk to. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Catalog } from '../catalog/schema.ts';
import type { Config } from '../config.ts';
import { DEPLOYER_SERVICE_ACCOUNT, VAULT } from '../contract/names.ts';
import type { Connections } from '../environment/connections.ts';
import { loadPlatform } from '../environment/platform.ts';
import type { Environment } from '../environment/schema.ts';
import { type ChartStore, createChartStore } from './charts/index.ts';
import { createHelmClient, type HelmClient } from './helm/index.ts';
import { createKubernetesClient, type KubernetesClient, usesExecLogin } from './kubernetes/index.ts';
import { createRedactor, type Redactor } from './redact.ts';
import {
  createDirectTunnel,
  createKeyFile,
  createKeySecret,
  createKeySpool,
  vaultTls,
  createTunnel,
  createVaultClient,
  type VaultClient,
} from './vault/index.ts';

/** Whether a deployment's run is still going on: it may come back to what it left half done. */
export type IsRunAlive = (run: { workflowId: string; runId: string }) => Promise<boolean>;

export interface Clients {
  environment: Environment;
  connections: Connections;
  config: Config;
  catalog: Catalog;
  kubernetes: KubernetesClient;
  helm: HelmClient;
  charts: ChartStore;
  vault: VaultClient;
  redactor: Redactor;
  isRunAlive: IsRunAlive;
  /** The engine that runs the operations; a worker has it, most commands do not. */
  engine?: Client;
  close(): Promise<void>;
}

const VAULT_PORT = 8200;

/**
 * Opens nothing yet: each connection is made when it is first used.
 * @throws KubeconfigError (named ConfigurationError) when the environment's kubeconfig or context is not there
 * @throws PlatformError, CatalogError when its platform cannot be read
 */
export async function createClients(
  environment: Environment,
  connections: Connections,
  config: Config,
  { isRunAlive, engine }: { isRunAlive: IsRunAlive; engine?: Client },
): Promise<Clients> {
  const catalog = await loadPlatform(environment, config);
  const redactor = createRedactor();
  const kubernetes = createKubernetesClient(
    connections.kubernetes,
    catalog.namespaces.map(({ name }) => name),
  );
  const helm = createHelmClient({
    // Unset only where nothing is ever applied: `verify`, `secrets`.
    binary: connections.helm ?? 'helm',
    stateDir: connections.stateDir,
    concurrency: environment.helm.concurrency,
    timeoutSeconds: environment.helm.timeoutSeconds,
    // Where it starts a plug-in to log in, the plug-in gets what the worker's own gets.
    env: usesExecLogin(connections.kubernetes) ? { ...config.loginEnv, ...config.childEnv } : config.childEnv,
    podUid: config.pod?.uid,
    kubernetes: connections.kubernetes,
  });
  const charts = createChartStore(config, {
    helm: () => Promise.resolve(connections.helm ?? 'helm'),
    env: config.childEnv,
  });
  const server = catalog.services.find(({ name }) => name === VAULT.service);
  const { keys, external } = environment.vault;
  const vault = createVaultClient({
    connection: connections.vault,
    keys:
      keys.store === 'kubernetes'
        ? createKeySecret(kubernetes, { ...keys, environment: environment.name }, redactor, {
            spool: createKeySpool(connections.stateDir, redactor, { plaintext: !environment.protected }),
          })
        : createKeyFile(connections.vault.keysFile, redactor),
    environment: environment.name,
    kubernetes,
    redactor,
    ...(external === undefined ? {} : { external: external.address }),
    tunnel:
      external !== undefined
        ? createDirectTunnel({
            address: external.address,
            ca: external.ca === undefined ? undefined : readFileSync(resolve(config.repoRoot, external.ca), 'utf8'),
          })
        : createTunnel(kubernetes, {
            namespace: server?.namespace ?? DEPLOYER_SERVICE_ACCOUNT.namespace,
            release: VAULT.service,
            port: server?.ports[0]?.containerPort ?? VAULT_PORT,
            ...(environment.vault.tls === undefined
              ? {}
              : {
                  tls: vaultTls(
                    kubernetes,
                    server?.namespace ?? DEPLOYER_SERVICE_ACCOUNT.namespace,
                    environment.vault.tls.secret,
                  ),
                }),
          }),
  });
  const close = (): Promise<void> => {
    vault.close();
    kubernetes.close();
    return Promise.resolve();
  };
  return {
    environment,
    connections,
    config,
    catalog,
    kubernetes,
    helm,
    charts,
    vault,
    redactor,
    isRunAlive,
    close,
    ...(engine ? { engine } : {}),
  };
}
