/** Cross references of everything that is not a service: secrets, databases, what the init Jobs make. */
import { suggestion } from '../../suggest.ts';
import type { PlacedProblem } from '../problems.ts';
import type { Catalog, SecretPath } from '../schema.ts';

/** @returns every problem of the platform's own tables */
export function checkPlatform(catalog: Catalog): PlacedProblem[] {
  return [
    ...duplicates(
      'namespaces',
      catalog.namespaces.map(({ name }) => name),
    ),
    ...duplicates(
      'phases',
      catalog.phases.map(({ number }) => String(number)),
    ),
    ...checkPhaseSizes(catalog),
    ...duplicates(
      'secretPaths',
      catalog.secretPaths.map(({ path }) => path),
    ),
    ...duplicates(
      'databases',
      catalog.databases.map(({ server, name }) => `${server}/${name}`),
    ),
    ...catalog.secretPaths.flatMap((path) => checkKeys(catalog, path)),
    ...references(catalog),
  ];
}

/**
 * A phase is a workflow. Temporal ends one that has 51,200 events and allows 2,000 activities at once; a service takes
 * up to 25 events (docs/understand/scale.md).
 */
const MOST_IN_A_PHASE = 1500;

function checkPhaseSizes({ phases, services }: Catalog): PlacedProblem[] {
  const sizes = new Map<number, number>();
  for (const { phase } of services) sizes.set(phase, (sizes.get(phase) ?? 0) + 1);
  return phases
    .filter(({ number }) => (sizes.get(number) ?? 0) > MOST_IN_A_PHASE)
    .map(({ number, title }) => ({
      section: 'phases',
      field: `phases.${number}`,
      message:
        `"${title}" has ${sizes.get(number) ?? 0} services, and a phase may have ${MOST_IN_A_PHASE}: ` +
        'divide it into several phases',
    }));
}

function duplicates(section: string, values: string[]): PlacedProblem[] {
  const twice = new Set(values.filter((value, index) => values.indexOf(value) !== index));
  return [...twice].map((value) => ({ section, field: section, message: `"${value}" stands here twice` }));
}

/** Keys that are made from other keys need these. */
function checkKeys(catalog: Catalog, { path, keys }: SecretPath): PlacedProblem[] {
  const names = keys.map(({ name }) => name);
  const wanted = keys.flatMap((key) => {
    if (key.kind === 'jwt') return [{ key: key.name, path, needs: key.signedWith }];
    if (key.kind === 'bcrypt') return [{ key: key.name, path, needs: key.of }];
    if (key.kind === 'copy') return [{ key: key.name, path: key.from.path, needs: key.from.key }];
    return [];
  });
  const missing = wanted
    .filter((want) => !hasKey(catalog, want.path, want.needs))
    .map((want) => ({
      section: 'secretPaths',
      field: `${path}.${want.key}`,
      message: `is made from ${want.path} ${want.needs}, which does not exist`,
    }));
  return [...duplicates('secretPaths', names).map((problem) => ({ ...problem, field: path })), ...missing];
}

function hasKey(catalog: Catalog, path: string, key: string): boolean {
  return catalog.secretPaths.some(
    (candidate) => candidate.path === path && candidate.keys.some(({ name }) => name === key),
  );
}

/** Names that have to exist: services, releases, databases, namespaces, keys. */
function references(catalog: Catalog): PlacedProblem[] {
  const services = catalog.services.map(({ name }) => name);
  const releases = catalog.services.flatMap(({ name, before, after }) => [
    name,
    ...[...before, ...after].map((step) => step.name),
  ]);
  const databases = catalog.databases.map(({ server, name }) => `${server}/${name}`);
  const namespaces = catalog.namespaces.map(({ name }) => name);

  const problems: PlacedProblem[] = [];
  const expect = (section: string, field: string, kind: string, name: string, known: string[]): void => {
    if (!known.includes(name))
      problems.push({
        section,
        field: `${section}.${field}`,
        message: `unknown ${kind} "${name}"${suggestion(name, known)}`,
      });
  };

  for (const { server, name, password } of catalog.databases) {
    expect('databases', `${name}.server`, 'service', server, services);
    if (!hasKey(catalog, password.path, password.key)) {
      problems.push({
        section: 'databases',
        field: `databases.${name}.password`,
        message: `unknown secret ${password.path} ${password.key}`,
      });
    }
  }
  for (const { service, database } of catalog.migrations) {
    expect('migrations', `${service}.service`, 'service', service, services);
    expect('migrations', `${service}.database`, 'database', database, databases);
  }
  for (const { server, job } of catalog.bucketSets) {
    expect('bucketSets', `${server}.server`, 'service', server, services);
    expect('bucketSets', `${server}.job`, 'release', job, releases);
  }
  if (catalog.realm !== undefined) {
    const { job, clients, admin } = catalog.realm;
    expect('realm', 'job', 'release', job, releases);
    for (const { clientId, service } of clients) expect('realm', `clients.${clientId}`, 'service', service, services);
    for (const key of [admin.username, admin.password]) {
      if (!hasKey(catalog, admin.path, key))
        problems.push({ section: 'realm', field: 'realm.admin', message: `unknown secret ${admin.path} ${key}` });
    }
  }
  for (const { name, job } of catalog.temporalNamespaces)
    expect('temporalNamespaces', `${name}.job`, 'release', job, releases);
  if (catalog.applicationSet !== undefined) {
    expect('applicationSet', 'namespace', 'namespace', catalog.applicationSet.namespace, namespaces);
    for (const namespace of catalog.applicationSet.namespaces)
      expect('applicationSet', 'namespaces', 'namespace', namespace, namespaces);
  }
  return problems;
}
