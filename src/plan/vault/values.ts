/** Values of Vault's own release: how many servers, how they find each other, what opens them. Pure. */
import type { Service } from '../../catalog/schema.ts';
import type { Tree } from '../../environment/files/merge.ts';
import type { Environment } from '../../environment/schema.ts';
import type { Seal } from '../../environment/fields/vault.ts';

type Settings = Pick<Environment['vault'], 'replicas' | 'seal' | 'tls'>;

/** Where its certificate is in Vault's pods. */
const TLS_FOLDER = '/vault/tls';

/** Names of its pods, which the StatefulSet counts from 0. */
export function vaultPods(service: Pick<Service, 'name'>, replicas: number): string[] {
  return Array.from({ length: replicas }, (_, index) => `${service.name}-${index}`);
}

/** One server that nobody but the deployer opens: the chart's own configuration is enough. */
export function isPlainVault({ replicas, seal, tls }: Settings): boolean {
  return replicas === 1 && seal === undefined && tls === undefined;
}

/**
 * The server's configuration for raft storage.
 * @param domain of the pods' own names: Service and namespace
 * @param mlock `unsaid` where the chart says itself that memory is not locked: Vault takes no key twice
 */
export function vaultHcl(
  service: Pick<Service, 'name'>,
  { replicas, seal, tls }: Settings,
  domain: string,
  { mlock }: { mlock: 'said' | 'unsaid' },
): string {
  const joins =
    replicas === 1
      ? []
      : vaultPods(service, replicas).map((pod) =>
          tls === undefined
            ? `  retry_join { leader_api_addr = "http://${pod}.${domain}:8200" }`
            : `  retry_join {\n    leader_api_addr = "https://${pod}.${domain}:8200"\n    leader_ca_cert_file = "${TLS_FOLDER}/ca.crt"\n  }`,
        );
  return (
    [
      'ui = true',
      ...(mlock === 'said' ? ['# Without the capability IPC_LOCK; nodes have no swap.', 'disable_mlock = true'] : []),
      'log_format = "json"',
      'listener "tcp" {',
      '  address         = "[::]:8200"',
      '  cluster_address = "[::]:8201"',
      ...(tls === undefined
        ? ['  tls_disable     = true']
        : [
            `  tls_cert_file   = "${TLS_FOLDER}/tls.crt"`,
            `  tls_key_file    = "${TLS_FOLDER}/tls.key"`,
            '  tls_min_version = "tls12"',
          ]),
      '}',
      'storage "raft" {',
      '  path = "/vault/data"',
      ...joins,
      '}',
      ...sealLines(seal),
    ].join('\n') + '\n'
  );
}

/** Values of the bundled chart. */
export function bundledVaultValues(service: Service, environment: Environment): Tree {
  const { vault } = environment;
  // Only who logs in, and who may ask whether a login is good.
  if (vault.external !== undefined)
    return { workload: 'None', networkPolicy: { enabled: false }, files: { config: null } };
  if (isPlainVault(vault)) return {};
  const { seal, replicas, tls } = vault;
  return {
    ...(tls === undefined ? {} : overTls(tls)),
    singleton: false,
    // The deployer replaces the pods itself, one by one, each unsealed before the next.
    updateStrategy: 'OnDelete',
    files: {
      config: {
        'vault.hcl': vaultHcl(service, vault, `${service.name}-headless.${service.namespace}.svc`, { mlock: 'said' }),
      },
    },
    ...(replicas === 1 ? {} : { scheduling: { affinity: apart({ 'app.kubernetes.io/instance': service.name }) } }),
    ...(seal === undefined
      ? {}
      : {
          serviceAccount: { name: service.name, annotations: seal.serviceAccountAnnotations },
          envFromSecret: Object.fromEntries(
            (seal.credentials?.keys ?? []).map((key) => [key, { name: seal.credentials?.secret, key }]),
          ),
        }),
  };
}

/** Values of HashiCorp's chart; its pods keep apart and are replaced on deletion anyway. */
export function upstreamVaultValues(service: Service, environment: Environment): Tree {
  const { vault } = environment;
  if (isPlainVault(vault)) return {};
  const { seal, replicas, tls } = vault;
  return {
    ...(tls === undefined
      ? {}
      : {
          volumes: [{ name: 'tls', secret: { secretName: tls.secret } }],
          volumeMounts: [{ name: 'tls', mountPath: TLS_FOLDER, readOnly: true }],
          extraEnvironmentVars: { VAULT_CACERT: `${TLS_FOLDER}/ca.crt` },
        }),
    standalone: { enabled: false },
    ha: {
      enabled: true,
      replicas,
      // By a name that the certificate has; the chart's own would be the pod's address.
      ...(tls === undefined ? {} : { apiAddr: `https://$(VAULT_K8S_POD_NAME).${service.name}-internal:8200` }),
      raft: {
        enabled: true,
        setNodeId: true,
        config: vaultHcl(service, vault, `${service.name}-internal`, { mlock: 'unsaid' }),
      },
    },
    ...(seal === undefined
      ? {}
      : {
          serviceAccount: { name: service.name, annotations: seal.serviceAccountAnnotations },
          extraSecretEnvironmentVars: (seal.credentials?.keys ?? []).map((key) => ({
            envName: key,
            secretName: seal.credentials?.secret,
            secretKey: key,
          })),
        }),
  };
}

/**
 * Values of the bundled chart: the certificate, and the settings for programs that connect to the server from inside
 * its pod.
 */
function overTls({ secret }: NonNullable<Settings['tls']>): Tree {
  const get = { httpGet: { scheme: 'HTTPS' } };
  return {
    volumes: [{ name: 'tls', secret: { secretName: secret, defaultMode: 0o440 } }],
    volumeMounts: [{ name: 'tls', mountPath: TLS_FOLDER, readOnly: true }],
    env: {
      VAULT_API_ADDR:
        'https://$(POD_NAME).{{ include "ananta.fullname" . }}-headless.{{ .Release.Namespace }}.svc:8200',
      VAULT_ADDR: 'https://127.0.0.1:8200',
      VAULT_CACERT: `${TLS_FOLDER}/ca.crt`,
    },
    probes: { readiness: get, liveness: get },
  };
}

function sealLines(seal: Seal | undefined): string[] {
  if (seal === undefined) return [];
  const parameters = Object.entries(seal.parameters).filter(([, value]) => value !== undefined);
  return [
    `seal ${JSON.stringify(seal.type)} {`,
    ...parameters.map(([name, value]) => `  ${name} = ${JSON.stringify(value)}`),
    '}',
  ];
}

/** Two of them on one node would be lost together. */
function apart(labels: Record<string, string>): Tree {
  return {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } },
      ],
    },
  };
}
