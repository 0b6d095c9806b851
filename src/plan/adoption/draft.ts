/**
 * What it takes so that the next plan changes as little as can be of what somebody else has brought up: keys of an
 * environment, where passwords come from, and each difference that is left, with what it does. Pure.
 */
import type { Catalog, SecretKey } from '../../catalog/schema.ts';
import { mergeTrees, type Tree } from '../../environment/files/merge.ts';
import type { Environment } from '../../environment/schema.ts';
import type { ChartSource } from '../../environment/fields/charts.ts';
import { chartSource } from '../charts/source.ts';
import { allReleases, findService } from '../releases.ts';
import { aliasService } from '../upstream/context.ts';
import { patchKeeping, valueDifferences, valueOf, type ValueDifference } from './compare.ts';
import { type Credential, credentialsOf, objectsName } from './credentials.ts';
import { type Effect, explainValue } from './explain.ts';
import type { Found } from './found.ts';
import { type Matched, matchReleases, type Matching } from './match.ts';

/** Where a value is now. */
export interface SecretReference {
  namespace: string;
  secret: string;
  key: string;
}

export interface KeptValue {
  path: string;
  ours?: unknown;
  theirs?: unknown;
  effect: Effect;
  why: string;
}

/** What the plan shows all the same. */
export interface Remaining {
  what: string;
  effect: Effect;
  why: string;
}

export interface AdoptedService {
  service: string;
  release: string;
  namespace: string;
  source: ChartSource;
  chart: string;
  /** Where it was found. */
  foundIn: string;
  /** Kept as they are, by the environment's file. */
  kept: KeptValue[];
  remaining: Remaining[];
}

export interface AdoptionDraft extends Pick<Matching, 'near' | 'unmatched' | 'missing'> {
  services: AdoptedService[];
  /** Keys for the environment's file. */
  environment: Tree;
  /** By path in Vault, then key. */
  references: Record<string, Record<string, SecretReference>>;
  /** Values of the catalog of which nobody knows where they are now; with Secrets that may hold them. */
  unknown: { path: string; key: string; candidates: SecretReference[] }[];
}

interface DraftInput {
  catalog: Catalog;
  environment: Environment;
  found: Found;
  bundledVersion: (chart: string) => string | undefined;
  /** Version of the publisher's chart that we install, by its key. */
  ours: (environment: Environment) => Promise<ReadonlyMap<string, Tree>>;
}

/** Says whose the objects are, on them alone: by charts of the checkout. */
const OWNER = 'global.environment';
/** Added by ours beside what runs: they restart nothing, and others look for them. */
const ADDED: readonly string[] = ['extraDeploy', 'extraObjects'];
/** Without them the deployer's own check of the service fails: ours are taken, by the path of a list. */
const NEEDED: Record<string, readonly string[]> = { redis: ['master.extraEnvVars'] };
/** Pods that a Service of the catalog's name leads to, where the chart names its objects otherwise. */
const ALIASES: Record<string, Record<string, string>> = {
  postgresql: { 'app.kubernetes.io/component': 'primary' },
  rabbitmq: { 'app.kubernetes.io/name': 'rabbitmq' },
  mongodb: { 'app.kubernetes.io/component': 'mongodb' },
  keycloak: { 'app.kubernetes.io/component': 'keycloak' },
};

/** @param input the environment as it is now, and what was found */
export async function draftAdoption(input: DraftInput): Promise<AdoptionDraft> {
  const { catalog, found, bundledVersion } = input;
  const { matched, ...others } = matchReleases(catalog, found.releases, bundledVersion);
  const overrides = changedSources(input.environment, catalog, matched);
  const environment = {
    ...input.environment,
    chartOverrides: { ...input.environment.chartOverrides, ...overrides },
  };
  const ours = await input.ours(environment);
  const drafted = matched.map((one) => draftOf(one, { ...input, environment }, ours.get(one.release.name) ?? {}));
  const references: AdoptionDraft['references'] = {};
  for (const { secrets } of drafted)
    for (const { path, key, reference } of secrets) references[path] = { ...references[path], [key]: reference };
  const values = Object.fromEntries(
    drafted.filter(({ patch }) => Object.keys(patch).length > 0).map(({ service, patch }) => [service.release, patch]),
  );
  return {
    ...others,
    services: drafted.map(({ service }) => service),
    environment: {
      ...(Object.keys(overrides).length === 0 ? {} : { chartOverrides: overrides }),
      ...(Object.keys(values).length === 0 ? {} : { values }),
    },
    references,
    unknown: unknownValues(catalog, found, references),
  };
}

interface Drafted {
  service: AdoptedService;
  patch: Tree;
  secrets: { path: string; key: string; reference: SecretReference }[];
}

function draftOf({ found, release, source }: Matched, { catalog, environment }: DraftInput, ours: Tree): Drafted {
  const service = findService(catalog, release.service);
  const credentials = (source === 'upstream' ? credentialsOf(found.chart.name, release.name, found.values) : []).filter(
    ({ made, secret }) => !made || (found.madeSecrets?.includes(secret) ?? true),
  );
  const theirs = credentials.reduce<Tree>((values, { values: named }) => mergeTrees(values, named), found.values);
  const needed = source === 'upstream' ? (NEEDED[found.chart.name] ?? []) : [];
  const owner = source === 'bundled' ? [OWNER] : [];
  const hidden = (path: string): boolean =>
    found.secretValues.some((secret) => path === secret || path.startsWith(`${secret}.`));
  const differences = valueDifferences(ours, theirs, found.defaults).filter(
    ({ path, theirs: value }) =>
      !(ADDED.includes(path[0] ?? '') && value === undefined) &&
      !hidden(path.join('.')) &&
      !owner.includes(path.join('.')) &&
      !(needed.includes(path.join('.')) && value === undefined),
  );
  const alias = aliasOf();
  const patch = ADDED.reduce<Tree>(
    (all, key) => {
      const more = key === 'extraDeploy' && alias !== undefined ? [alias] : [];
      if (theirs[key] === undefined && more.length === 0) return all;
      return { ...all, [key]: [...asList(theirs[key]), ...asList(ours[key]), ...more] };
    },
    patchKeeping(differences, theirs, [...needed, ...found.secretValues, ...owner, ...ADDED]),
  );
  const wanted = source === 'upstream' ? catalog.upstreamCharts[service.chart.upstream ?? '']?.version : undefined;
  return {
    service: {
      service: service.name,
      release: release.name,
      namespace: release.namespace,
      source,
      chart: `${found.chart.name} ${found.chart.version}`,
      foundIn: found.source,
      kept: differences.filter(({ theirs: value }) => value !== null).map(keptValue),
      remaining: [
        ...(wanted === undefined || wanted === found.chart.version
          ? []
          : [
              {
                what: `chart ${found.chart.name} ${found.chart.version}, ours is ${wanted}`,
                effect: 'unknown' as const,
                why: 'what the versions render differently no value takes back: the plan shows it, object by object',
              },
            ]),
        ...secretRemains(found.secretValues, credentials),
        ...needed
          .filter((path) => valueOf(theirs, path) === undefined && valueOf(ours, path) !== undefined)
          .map((path) => ({
            what: path,
            effect: 'restart' as const,
            why: "is ours: the deployer's own check of the service needs it in the pods",
          })),
        ...differences
          .filter(({ theirs: value }) => value === null)
          .map(({ path }) => ({
            what: path.join('.'),
            effect: explainValue(path.join('.')).effect,
            why: "is null there, which takes the chart's default away; an environment cannot say so",
          })),
        ...(alias === undefined
          ? []
          : [
              {
                what: `Service ${release.name}`,
                effect: 'none' as const,
                why: `its chart names its objects ${objectsName(found.chart.name, release.name, found.values)}; a Service of the catalog's name is added, which the other services look for`,
              },
            ]),
        {
          what: 'label ananta.dev/environment on its objects',
          effect: 'none',
          why: 'says whose they are; never in the template of pods',
        },
      ],
    },
    patch,
    secrets: secretsOf(credentials),
  };

  function aliasOf(): Tree | undefined {
    const labels = source === 'upstream' ? ALIASES[found.chart.name] : undefined;
    if (labels === undefined || objectsName(found.chart.name, release.name, found.values) === release.name)
      return undefined;
    return aliasService({ catalog, environment, release, service, imageTags: {}, replicas: 1 }, labels);
  }

  function secretsOf(all: readonly Credential[]): Drafted['secrets'] {
    return all.flatMap(({ ours: key, secret, key: theirKey }) => {
      const use = release.secrets.find(({ path }) => keyOf(catalog, path, key) !== undefined);
      const declared = use === undefined ? undefined : keyOf(catalog, use.path, key);
      if (use === undefined || declared === undefined || !isImported(declared)) return [];
      return [{ path: use.path, key, reference: { namespace: release.namespace, secret, key: theirKey } }];
    });
  }
}

function secretRemains(secretValues: readonly string[], credentials: readonly Credential[]): Remaining[] {
  const made = [...new Set(credentials.filter((one) => one.made).map(({ secret }) => secret))];
  const restarts = credentials.some((one) => one.restarts);
  const named = made.map(
    (secret): Remaining => ({
      what: `Secret ${secret}`,
      effect: restarts ? 'restart' : 'none',
      why: `its chart has made it; from now on it is named as one that is there, and is kept when the chart no longer makes it${
        restarts
          ? '. The chart puts a checksum of it at its pods, so they are replaced once, with the same password'
          : ''
      }`,
    }),
  );
  // Of a chart whose Secrets are known, what was given as text stands in the Secret that it has made from that.
  const texts = credentials.length > 0 ? [] : secretValues;
  return [
    ...named,
    ...texts.map(
      (path): Remaining => ({
        what: path,
        effect: 'restart',
        why: 'was given as text, and no file holds a secret: ours reads it from a Secret made from Vault',
      }),
    ),
  ];
}

function keptValue({ path, ours, theirs }: ValueDifference): KeptValue {
  const dotted = path.join('.');
  return {
    path: dotted,
    ...(ours === undefined ? {} : { ours }),
    ...(theirs === undefined ? {} : { theirs }),
    ...explainValue(dotted),
  };
}

/** The charts that what runs was made from, by service: those that the environment does not say already. */
function changedSources(
  environment: Environment,
  catalog: Catalog,
  matched: readonly Matched[],
): Record<string, ChartSource> {
  return Object.fromEntries(
    matched
      .filter(({ release }) => release.position === 'main')
      .filter(({ release, source }) => chartSource(environment, findService(catalog, release.service)) !== source)
      .map(({ release, source }) => [release.service, source]),
  );
}

function unknownValues(
  catalog: Catalog,
  { secrets, vault }: Found,
  references: AdoptionDraft['references'],
): AdoptionDraft['unknown'] {
  const namespaces = new Map(
    catalog.secretPaths.map(({ path }) => [
      path,
      allReleases(catalog)
        .filter((release) => release.secrets.some((use) => use.path === path))
        .map(({ namespace }) => namespace),
    ]),
  );
  return catalog.secretPaths.flatMap(({ path, keys }) =>
    keys
      .filter(isImported)
      .filter(({ name }) => references[path]?.[name] === undefined)
      // A Vault that has it already is the place that it would be imported into.
      .filter(({ name }) => !vault.secrets.some((one) => one.path === `secret/${path}` && one.keys.includes(name)))
      .map(({ name }) => ({
        path,
        key: name,
        candidates: secrets
          .filter((secret) => secret.keys.includes(name) && (namespaces.get(path) ?? []).includes(secret.namespace))
          .map((secret) => ({ namespace: secret.namespace, secret: secret.name, key: name })),
      })),
  );
}

/** What is fixed, copied or made from another value needs no import. */
function isImported({ kind }: SecretKey): boolean {
  return kind === 'generated' || kind === 'supplied';
}

function keyOf(catalog: Catalog, path: string, key: string): SecretKey | undefined {
  return catalog.secretPaths.find((one) => one.path === path)?.keys.find(({ name }) => name === key);
}

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
