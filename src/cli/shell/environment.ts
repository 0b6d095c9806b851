/** Variables with which kubectl, helm, vault and temporal meet one environment, and nothing of the user's. Pure. */
import { delimiter, dirname, join } from 'node:path';
import type { Connections, Runtime } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';

/** What the user's own shell says of other clusters, engines and Vaults, tokens among it. */
const NOT_INHERITED = /^(KUBECONFIG|VAULT_.*|TEMPORAL_.*|HELM_.*)$/;
const HANDY = ['kubectl', 'helm', 'vault', 'temporal'];

export interface ShellInput {
  environment: Pick<Environment, 'name' | 'protected' | 'vault'>;
  connections: Pick<Connections, 'kubernetes' | 'engine'>;
  runtime: Runtime | undefined;
  /** Of the shell alone: everything that the tools write goes there. */
  folder: string;
  /** The user's. */
  inherited: Readonly<Record<string, string>>;
}

export function shellVariables({
  environment,
  connections: { kubernetes, engine },
  runtime,
  folder,
  inherited,
}: ShellInput): Record<string, string> {
  const kept = Object.fromEntries(Object.entries(inherited).filter(([name]) => !NOT_INHERITED.test(name)));
  const tools = HANDY.flatMap((name) => (runtime?.tools[name] === undefined ? [] : [dirname(runtime.tools[name])]));
  const vault = environment.vault.external?.address ?? runtime?.vault?.address;
  return {
    ...kept,
    PATH: [...new Set(tools), inherited['PATH'] ?? ''].filter((part) => part !== '').join(delimiter),
    ANANTA_SHELL: environment.name,
    ...(kubernetes.inCluster ? {} : { KUBECONFIG: join(folder, 'kubeconfig') }),
    HELM_CONFIG_HOME: join(folder, 'helm', 'config'),
    HELM_CACHE_HOME: join(folder, 'helm', 'cache'),
    HELM_DATA_HOME: join(folder, 'helm', 'data'),
    VAULT_CONFIG_PATH: join(folder, 'vault.hcl'),
    ...(vault === undefined ? {} : { VAULT_ADDR: vault }),
    ...temporalVariables(engine, folder),
  };
}

function temporalVariables(engine: Connections['engine'], folder: string): Record<string, string> {
  // Inside of the cluster: no address for a shell out here.
  if (engine.tunnel !== undefined) return { TEMPORAL_CONFIG_FILE: join(folder, 'temporal.toml') };
  const tls = typeof engine.tls === 'object' ? engine.tls : {};
  return {
    TEMPORAL_CONFIG_FILE: join(folder, 'temporal.toml'),
    TEMPORAL_ADDRESS: engine.address,
    TEMPORAL_NAMESPACE: engine.namespace,
    ...(engine.tls === undefined || engine.tls === false ? {} : { TEMPORAL_TLS: 'true' }),
    ...(tls.ca === undefined ? {} : { TEMPORAL_TLS_SERVER_CA_CERT_PATH: tls.ca }),
    ...(tls.cert === undefined ? {} : { TEMPORAL_TLS_CLIENT_CERT_PATH: tls.cert }),
    ...(tls.key === undefined ? {} : { TEMPORAL_TLS_CLIENT_KEY_PATH: tls.key }),
    ...(tls.serverName === undefined ? {} : { TEMPORAL_TLS_SERVER_NAME: tls.serverName }),
  };
}
