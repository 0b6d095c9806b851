/** Cross references: what one part of the catalog says about another has to be true. */
import { checkChecks } from './verification.ts';
import { checkPlatform } from './platform.ts';
import { checkRotations } from './rotation.ts';
import { findCycle } from './cycle.ts';
import { type PlacedProblem, unknown } from '../problems.ts';
import type { Catalog, SecretUse, Service } from '../schema.ts';
import { secretUses } from '../secret-uses.ts';

/** @returns every problem, in the order of the rows; empty for a sound catalog */
export function checkReferences(catalog: Catalog): PlacedProblem[] {
  const names = { services: setOf(catalog.services), namespaces: setOf(catalog.namespaces) };
  const reaches = reachability(catalog);
  return [
    ...checkDuplicates(catalog),
    ...catalog.services.flatMap((service) => checkService(catalog, service, names, reaches)),
    ...checkCycle(catalog),
    ...checkChecks(catalog),
    ...checkRotations(catalog),
    ...checkPlatform(catalog),
  ];
}

type Names = Record<'services' | 'namespaces', ReadonlySet<string>>;

function setOf(rows: readonly { name: string }[]): Set<string> {
  return new Set(rows.map(({ name }) => name));
}

function problem(service: Service, field: string, message: string): PlacedProblem {
  return { section: 'services', module: service.module, field: `${service.name}.${field}`, message };
}

/** Numbers, release names and node ports that two services claim; both are named. */
function checkDuplicates({ services }: Catalog): PlacedProblem[] {
  const claims = services.flatMap((service) => [
    { service, field: 'number', what: 'number', value: String(service.number) },
    { service, field: 'name', what: 'release name', value: service.name },
    ...[...service.before, ...service.after].map((step) => ({
      service,
      field: 'steps',
      what: 'release name',
      value: step.name,
    })),
    ...service.ports
      .filter((port) => port.nodePort !== undefined)
      .map((port) => ({
        service,
        field: `ports.${port.name}.nodePort`,
        what: 'NodePort',
        value: String(port.nodePort),
      })),
    ...(service.publicHost === undefined
      ? []
      : [{ service, field: 'publicHost.name', what: 'public host', value: service.publicHost.name }]),
  ]);
  const first = new Map<string, Service>();
  return claims.flatMap(({ service, field, what, value }) => {
    const holder = first.get(`${what} ${value}`);
    if (holder === undefined) {
      first.set(`${what} ${value}`, service);
      return [];
    }
    const others = holder.name === service.name ? 'twice' : `by ${holder.name} and by ${service.name}`;
    return [problem(service, field, `${what} ${value} is used ${others}`)];
  });
}

function checkService(
  catalog: Catalog,
  service: Service,
  { services, namespaces }: Names,
  reaches: Reaches,
): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  const report = (field: string, message: string): void => void problems.push(problem(service, field, message));

  if (!namespaces.has(service.namespace)) report('namespace', unknown('namespace', service.namespace, [...namespaces]));
  if (!catalog.phases.some(({ number }) => number === service.phase))
    report('phase', `there is no phase ${service.phase}`);
  const { upstream } = service.chart;
  if (upstream !== undefined && !(upstream in catalog.upstreamCharts)) {
    report('chart.upstream', unknown('upstream chart', upstream, Object.keys(catalog.upstreamCharts)));
  }
  for (const field of ['dependsOn', 'talksTo'] as const) {
    for (const name of service[field]) if (!services.has(name)) report(field, unknown('service', name, [...services]));
  }
  for (const name of service.optionalDependencies)
    if (!service.dependsOn.includes(name))
      report('optionalDependencies', `"${name}" is not among its dependsOn: only what it depends on can be optional`);
  if ((service.kind === 'job') !== (service.health.kind === 'job'))
    report('health', 'a Job, and nothing but a Job, is healthy by completing');
  problems.push(
    ...checkPorts(service),
    ...checkSecrets(catalog, service, reaches),
    ...checkDatabases(catalog, service, reaches),
  );
  return problems;
}

function checkPorts(service: Service): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  for (const field of ['name', 'port', 'containerPort'] as const) {
    const values = service.ports.map((port) => port[field]);
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) problems.push(problem(service, 'ports', `${field} ${twice} is used twice`));
  }
  const { health, publicHost } = service;
  if (
    publicHost !== undefined &&
    !service.ports.some(({ name, protocol }) => name === publicHost.port && protocol === 'http')
  ) {
    problems.push(problem(service, 'publicHost.port', `the service has no HTTP port "${publicHost.port}"`));
  }
  if ('port' in health && !service.ports.some(({ containerPort }) => containerPort === health.port)) {
    problems.push(problem(service, 'health.port', `no port of the service leads to container port ${health.port}`));
  }
  return problems;
}

function checkSecrets(catalog: Catalog, service: Service, reaches: Reaches): PlacedProblem[] {
  const uses = secretUses(service);
  const problems = uses.flatMap(({ field, use }) =>
    checkSecretUse(catalog, use).map((message) => problem(service, field, message)),
  );
  const opener = catalog.services.find(({ before, after }) =>
    [...before, ...after].some(({ kind }) => kind === 'vault-init'),
  );
  const first = uses[0];
  if (first !== undefined && opener !== undefined && !reaches(service, opener.name)) {
    problems.push(
      problem(
        service,
        'dependsOn',
        `reads ${first.use.path}, but does not depend on ${opener.name}, neither directly nor through others`,
      ),
    );
  }
  return problems;
}

function checkSecretUse(catalog: Catalog, use: SecretUse): string[] {
  const path = catalog.secretPaths.find((candidate) => candidate.path === use.path);
  if (path === undefined)
    return [
      unknown(
        'secret path',
        use.path,
        catalog.secretPaths.map((candidate) => candidate.path),
      ),
    ];
  const keys = path.keys.map(({ name }) => name);
  return (use.keys ?? [])
    .filter((key) => !keys.includes(key))
    .map((key) => `${unknown('key', key, keys)} of secret path ${use.path}`);
}

function checkDatabases(catalog: Catalog, service: Service, reaches: Reaches): PlacedProblem[] {
  const known = catalog.databases.map(({ server, name }) => `${server}/${name}`);
  return service.databases.flatMap((database) => {
    if (!known.includes(database)) return [problem(service, 'databases', unknown('database', database, known))];
    const server = database.split('/')[0] ?? '';
    return reaches(service, server)
      ? []
      : [
          problem(
            service,
            'dependsOn',
            `connects to ${database}, but does not depend on ${server}, neither directly nor through others`,
          ),
        ];
  });
}

/** Whether a service depends on another one, directly or through others. */
type Reaches = (from: Service, target: string) => boolean;

/** Each target's dependents are looked for once, however many services ask. */
function reachability({ services }: Catalog): Reaches {
  const direct = new Map<string, string[]>();
  for (const { name, dependsOn } of services)
    for (const needed of dependsOn) {
      const before = direct.get(needed);
      if (before === undefined) direct.set(needed, [name]);
      else before.push(name);
    }
  const known = new Map<string, ReadonlySet<string>>();
  const dependents = (target: string): ReadonlySet<string> => {
    const found = known.get(target);
    if (found !== undefined) return found;
    const all = new Set<string>();
    const open = [...(direct.get(target) ?? [])];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (all.has(name)) continue;
      all.add(name);
      open.push(...(direct.get(name) ?? []));
    }
    known.set(target, all);
    return all;
  };
  return (from, target) => dependents(target).has(from.name);
}

function checkCycle({ services }: Catalog): PlacedProblem[] {
  const loop = findCycle(services);
  const first = services.find(({ name }) => name === loop?.[0]);
  return loop && first ? [problem(first, 'dependsOn', `dependency cycle: ${loop.join(' → ')}`)] : [];
}
