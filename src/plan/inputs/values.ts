/**
 * Values of a release that follow from catalog and environment: the same keys for every bundled chart. What else a
 * chart needs stands in helm/values/<release>.yaml and is merged under these.
 */
import type { Catalog, Image, Port, SecretUse, Service } from '../../catalog/schema.ts';
import { VAULT, VAULT_CA_SECRET } from '../../contract/names.ts';
import { isTree, mergeTrees, type Tree } from '../../environment/files/merge.ts';
import type { Environment } from '../../environment/schema.ts';
import { showsReleases } from './applications.ts';
import { chartSource } from '../charts/source.ts';
import { type Ingress, ingressOf } from './ingress.ts';
import { keysOf, secretNameOf } from '../vault/kubernetes-secrets.ts';
import { isDigest } from '../images/version.ts';
import { networkPeers } from './network.ts';
import { findService, type Release } from '../releases.ts';
import { usesUpstreamChart, upstreamOverlay } from '../upstream/index.ts';
import { vaultRoleName } from '../vault/policies.ts';
import { bundledVaultValues } from '../vault/values.ts';

/** Chart of the service rows: stateless, so that it follows the environment's default number of replicas. */
const STATELESS_CHART = 'service';

/**
 * @param imageTags tag per release, from the command line; wins over the environment's and the catalog's
 * @returns values that win over those in files; they never contain a secret, only names of Secrets
 */
export function overlay(
  catalog: Catalog,
  environment: Environment,
  release: Release,
  imageTags: Readonly<Record<string, string>>,
): Tree {
  const service = findService(catalog, release.service);
  const main = release.position === 'main';
  if (usesUpstreamChart(environment, service, release)) {
    return upstreamOverlay({
      catalog,
      environment,
      release,
      service,
      imageTags,
      replicas: replicasOf(environment, service),
    });
  }
  if (showsReleases(release)) return applicationsOverlay(catalog, environment, service);
  const own = main && service.name === VAULT.service ? bundledVaultValues(service, environment) : {};
  const ingress = main ? ingressOf(environment, service) : undefined;
  return mergeTrees(
    {
      fullnameOverride: release.name,
      ...(release.image ? { image: imageOf(environment, release.name, release.image, imageTags) } : {}),
      imagePullSecrets: environment.images.pullSecrets,
      serviceAccount: { name: release.name },
      vault: vaultAccess(catalog, environment, release),
      secretRefs: secretReferences(catalog, release.secrets),
      networkPolicy: {
        enabled: true,
        from: main ? [...networkPeers(catalog, service), ...ingressPeers(environment, ingress)] : [],
      },
      ...(ingress === undefined ? {} : { ingress: { ...ingress } }),
      ...(main && !release.job
        ? { replicaCount: replicasOf(environment, service), service: { ports: service.ports.map(portValues) } }
        : {}),
      ...(main && service.stateful ? { storage: storageOf(environment, service) } : {}),
      ...(environment.resources[release.name] ? { resources: environment.resources[release.name] } : {}),
      global: { domain: environment.domain, environment: environment.name },
    },
    own,
  );
}

/** @param file what an engineer wrote, @param over what follows from catalog and environment */
export function mergeValues(file: unknown, over: Tree): Tree {
  return mergeTrees(isTree(file) ? file : {}, over);
}

/** The platform's own images get the environment's prefix. */
export function imageOf(
  environment: Environment,
  release: string,
  image: Image,
  imageTags: Readonly<Record<string, string>>,
): { repository: string; tag: string; digest?: string } {
  const repository = image.own ? `${environment.images.prefix}/${image.repository}` : image.repository;
  const version = imageTags[release] ?? environment.images.tags[release] ?? image.tag;
  // The tag stays for people who read labels; the digest is what is pulled.
  return isDigest(version) ? { repository, tag: image.tag, digest: version } : { repository, tag: version };
}

/** Services with a volume run once; the platform's stateless ones as often as the environment says. */
export function replicasOf(environment: Environment, service: Service): number {
  if (service.name === VAULT.service) return environment.vault.replicas;
  return (
    environment.replicas.services[service.name] ??
    (service.chart.bundled === STATELESS_CHART ? environment.replicas.default : 1)
  );
}

/** The controller's pods, whatever their names. */
function ingressPeers({ ingress: settings }: Environment, ingress: Ingress | undefined): Tree[] {
  return ingress === undefined || settings === undefined ? [] : [{ namespace: settings.controllerNamespace }];
}

function portValues({ name, port, containerPort, nodePort, protocol }: Port): Tree {
  return { name, port, containerPort, protocol, ...(nodePort === undefined ? {} : { nodePort }) };
}

function vaultAccess(catalog: Catalog, environment: Environment, release: Release): Tree {
  const paths = release.secrets.filter(({ delivery }) => delivery === 'login').map(({ path }) => path);
  if (paths.length === 0) return { login: false };
  const server = findService(catalog, VAULT.service);
  const port = server.ports[0]?.port ?? 8200;
  const { tls } = environment.vault;
  return {
    login: true,
    role: vaultRoleName(release.service),
    address:
      environment.vault.external?.address ??
      `${tls === undefined ? 'http' : 'https'}://${server.name}.${server.namespace}.svc:${port}`,
    ...(tls === undefined ? {} : { caSecret: VAULT_CA_SECRET }),
    paths,
  };
}

function secretReferences(catalog: Catalog, uses: readonly SecretUse[]): Tree[] {
  return uses
    .filter(({ delivery }) => delivery === 'kubernetes')
    .map((use) => ({ name: secretNameOf(use), path: use.path, keys: keysOf(catalog, use) }));
}

function storageOf(environment: Environment, service: Service): Tree {
  const size = environment.storage.sizes[service.name] ?? service.volumeSize;
  return {
    ...(environment.storage.class === undefined ? {} : { class: environment.storage.class }),
    ...(size === undefined ? {} : { size }),
  };
}

/** @param argo the service that brings Argo CD */
function applicationsOverlay(catalog: Catalog, environment: Environment, argo: Service): Tree {
  return {
    // The publisher's chart, in its line, runs an Argo CD that cannot patch templates yet.
    applicationSet: {
      ...catalog.applicationSet,
      templatePatch: chartSource(environment, argo) === 'bundled',
    },
    gitops: { ...environment.gitops },
    global: { domain: environment.domain, environment: environment.name },
  };
}
