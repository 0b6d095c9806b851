/** What an environment says about the platform has to fit the catalog. */
import type { Catalog, Service } from '../catalog/schema.ts';
import { VAULT } from '../contract/names.ts';
import { suggestion } from '../suggest.ts';
import type { Finding } from './explain.ts';
import { realNodeOf } from './real-node.ts';
import type { EnvironmentFile } from './schema.ts';
import { secretFindings } from './fields/values.ts';
import { checkVerification } from './fields/verification.ts';

/** @returns every contradiction; empty for a sound environment */
export function checkEnvironment(environment: EnvironmentFile, catalog: Catalog): Finding[] {
  return [
    ...checkNames(environment, catalog),
    ...checkReplicas(environment, catalog),
    ...checkVerification(environment, catalog),
    ...secretFindings(environment.values),
    ...checkParts(environment),
  ];
}

/** Keys that have to be names of services or of their steps. */
function checkNames(environment: EnvironmentFile, catalog: Catalog): Finding[] {
  const services = catalog.services.map(({ name }) => name);
  const releases = catalog.services.flatMap(({ name, before, after }) => [
    name,
    ...[...before, ...after].map((step) => step.name),
  ]);
  const stateful = catalog.services.filter((service) => service.stateful).map(({ name }) => name);
  const withUpstream = catalog.services.filter(({ chart }) => chart.upstream !== undefined).map(({ name }) => name);
  const fields: { path: string[]; keys: object; known: string[]; what: string }[] = [
    { path: ['replicas', 'services'], keys: environment.replicas.services, known: services, what: 'service' },
    {
      path: ['chartOverrides'],
      keys: environment.chartOverrides,
      known: withUpstream,
      what: "service with a publisher's chart",
    },
    { path: ['chartFolders'], keys: environment.chartFolders, known: releases, what: 'service' },
    { path: ['images', 'tags'], keys: environment.images.tags, known: releases, what: 'service' },
    { path: ['resources'], keys: environment.resources, known: releases, what: 'service' },
    { path: ['values'], keys: environment.values, known: releases, what: 'service' },
    { path: ['storage', 'sizes'], keys: environment.storage.sizes, known: stateful, what: 'service with a volume' },
    {
      path: ['cluster', 'embedded', 'realNode', 'services'],
      keys: named(realNodeOf(environment)?.services),
      known: services,
      what: 'service',
    },
    {
      path: ['cluster', 'embedded', 'realNode', 'except'],
      keys: named(realNodeOf(environment)?.except),
      known: services,
      what: 'service',
    },
    // Of a service that is mistyped nobody would ever be asked.
    ...environment.approvals.map(({ services: ofGate = [] }, index) => ({
      path: ['approvals', String(index), 'services'],
      keys: named(ofGate),
      known: services,
      what: 'service',
    })),
    {
      path: ['rotation', 'paths'],
      keys: named(environment.rotation?.paths),
      known: catalog.secretPaths.map(({ path }) => path),
      what: 'secret path',
    },
    {
      path: ['simulation', 'startupSeconds'],
      keys: environment.simulation?.startupSeconds ?? {},
      known: releases,
      what: 'service',
    },
  ];
  return fields.flatMap(({ path, keys, known, what }) =>
    Object.keys(keys)
      .filter((name) => !known.includes(name))
      .map((name) => ({ path: [...path, name], message: `there is no ${what} "${name}"${suggestion(name, known)}` })),
  );
}

/** A list of names as keys. */
function named(names: readonly string[] | string | undefined): object {
  return Object.fromEntries(typeof names === 'object' ? names.map((name) => [name, true]) : []);
}

function checkReplicas(environment: EnvironmentFile, catalog: Catalog): Finding[] {
  const reasonAgainst = (service: Service | undefined, replicas: number): string | undefined => {
    if (service?.name === VAULT.service) return 'is said in vault.replicas';
    if (service?.kind === 'job') return 'is a Job: it runs once, not in replicas';
    if (service?.stateful && replicas > 1) return 'keeps its data in one volume and runs as one replica';
    return undefined;
  };
  return Object.entries(environment.replicas.services).flatMap(([name, replicas]) => {
    const message = reasonAgainst(
      catalog.services.find((service) => service.name === name),
      replicas,
    );
    return message === undefined ? [] : [{ path: ['replicas', 'services', name], message }];
  });
}

function checkParts(environment: EnvironmentFile): Finding[] {
  const { vault, cluster, simulation, encryption } = environment;
  const findings: Finding[] = [];
  if (vault.threshold > vault.shares) {
    findings.push({
      path: ['vault', 'threshold'],
      message: `${vault.threshold} keys cannot be needed where only ${vault.shares} exist (vault.shares)`,
    });
  }
  if (encryption?.keysFile !== undefined && encryption.keysCommand !== undefined) {
    findings.push({ path: ['encryption'], message: 'says both keysFile and keysCommand: the keys are in one place' });
  }
  if (environment.checkpoints?.to !== undefined && environment.backup === undefined)
    findings.push({
      path: ['checkpoints'],
      message: 'needs backup.recipients: checkpoints are encrypted for the same people, and never plain',
    });
  if (environment.nexus !== undefined && 'inCluster' in environment.engine)
    findings.push({
      path: ['nexus'],
      message:
        'needs an engine that other teams use, too (engine.address): the one that the deployer brings into the cluster takes nobody else in',
    });
  if (vault.external !== undefined) findings.push(...checkExternalVault(environment));
  const { publicKeys, rootTokenKey } = vault.keys;
  if (publicKeys !== undefined && publicKeys.length !== vault.shares) {
    findings.push({
      path: ['vault', 'keys', 'publicKeys'],
      message: `names ${publicKeys.length} owners for ${vault.shares} shares (vault.shares): each share needs one`,
    });
  }
  if (rootTokenKey !== undefined && vault.rootToken === 'keep') {
    findings.push({
      path: ['vault', 'keys', 'rootTokenKey'],
      message: 'a root token that is encrypted to a person cannot be kept for the deployer (vault.rootToken: keep)',
    });
  }
  if (
    typeof environment.chartMirror === 'object' &&
    environment.chartMirror.credentials !== undefined &&
    !environment.chartMirror.url.startsWith('oci://')
  ) {
    findings.push({
      path: ['chartMirror', 'credentials'],
      message:
        'are for a registry (oci://): a repository or a folder behind a login is not supported, mirror it to a registry',
    });
  }
  if (vault.tls !== undefined && 'embedded' in cluster) {
    findings.push({
      path: ['vault', 'tls'],
      message: "the embedded cluster's Vault is a process on this machine's loopback: it has no certificate",
    });
  }
  if (simulation !== undefined && !('embedded' in cluster)) {
    findings.push({
      path: ['simulation'],
      message: 'pods are simulated on an embedded cluster only (cluster.embedded)',
    });
  }
  return [...findings, ...(environment.protected ? checkGuarded(environment) : [])];
}

function checkExternalVault({ vault }: EnvironmentFile): Finding[] {
  const theirs = 'is the business of those who run the external Vault (vault.external)';
  return [
    ...(vault.kubernetesHost === 'auto'
      ? [
          {
            path: ['vault', 'kubernetesHost'],
            message:
              "has to be said with vault.external: the API server's address as that Vault reaches it, for token review",
          },
        ]
      : []),
    ...(vault.replicas === 1 ? [] : [{ path: ['vault', 'replicas'], message: theirs }]),
    ...(vault.tls === undefined ? [] : [{ path: ['vault', 'tls'], message: theirs }]),
    ...(vault.seal === undefined ? [] : [{ path: ['vault', 'seal'], message: theirs }]),
    ...(vault.keys.publicKeys === undefined && vault.keys.rootTokenKey === undefined
      ? []
      : [{ path: ['vault', 'keys'], message: theirs }]),
  ];
}

const SERVERS_OF_A_GUARDED_VAULT = 3;

/** What `protected: true` promises beyond questions before commands. */
function checkGuarded({ engine, cluster, vault }: EnvironmentFile): Finding[] {
  const embedded = 'a protected environment';
  return [
    ...('embedded' in engine
      ? [
          {
            path: ['engine'],
            message: `${embedded} needs a Temporal that outlives this machine (engine.address), not the embedded development server`,
          },
        ]
      : []),
    ...('embedded' in cluster
      ? [{ path: ['cluster'], message: `${embedded} needs a real cluster (cluster.context)` }]
      : []),
    ...(vault.external === undefined ? checkOwnVault(vault) : checkWayTo(vault.external)),
  ];
}

function checkWayTo({ address }: { address: string }): Finding[] {
  return new URL(address).protocol === 'https:'
    ? []
    : [
        {
          path: ['vault', 'external', 'address'],
          message:
            'a protected environment reaches Vault over https:// alone: passwords would cross the network in clear',
        },
      ];
}

function checkOwnVault(vault: EnvironmentFile['vault']): Finding[] {
  const embedded = 'a protected environment';
  return [
    ...(vault.replicas < SERVERS_OF_A_GUARDED_VAULT
      ? [
          {
            path: ['vault', 'replicas'],
            message: `${embedded} needs at least ${SERVERS_OF_A_GUARDED_VAULT} servers of Vault, so that one may be lost`,
          },
        ]
      : []),
    ...(vault.seal === undefined && vault.keys.publicKeys === undefined
      ? [
          {
            path: ['vault', 'keys'],
            message: `${embedded} keeps no unseal keys in clear: name its operators' public keys (vault.keys.publicKeys), or a key service (vault.seal)`,
          },
        ]
      : []),
    ...(vault.rootToken === 'keep'
      ? [{ path: ['vault', 'rootToken'], message: `${embedded} revokes the root token` }]
      : []),
    ...(vault.tls === undefined
      ? [
          {
            path: ['vault', 'tls'],
            message: `${embedded} reaches Vault over TLS alone: name the Secret with its certificate (vault.tls.secret)`,
          },
        ]
      : []),
  ];
}
