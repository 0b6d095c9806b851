/** A small sound catalog; tests break it in one place each. */
import type { Catalog, CatalogInput, ServiceInput } from '../../src/catalog/schema.ts';
import { validateCatalog } from '../../src/catalog/validate.ts';

export function sampleService(name: string, number: number, over: Partial<ServiceInput> = {}): ServiceInput {
  return {
    number,
    phase: 1,
    name,
    namespace: 'apps',
    module: 'app-plane',
    kind: 'release',
    description: name,
    chart: { bundled: 'service' },
    image: { repository: name, tag: '1.0.0', own: true },
    dependsOn: [],
    health: { kind: 'http', port: 8080, path: '/health' },
    ports: [{ name: 'http', port: 80, containerPort: 8080, protocol: 'http' }],
    secrets: [],
    startupSeconds: 10,
    healthTimeoutSeconds: 100,
    stateful: false,
    ...over,
  };
}

/** Every field is set; none has its default. */
export type SampleCatalog = {
  [Key in Exclude<keyof CatalogInput, 'prometheus'>]-?: NonNullable<CatalogInput[Key]>;
} & Pick<CatalogInput, 'prometheus'>;

/** vault ← db ← api ← web, and a Job between db and api. */
export function sampleCatalog(): SampleCatalog {
  return {
    name: 'ananta',
    title: 'Sample',
    phases: [{ number: 1, title: 'Everything' }],
    namespaces: [
      { name: 'vault-system', purpose: 'secrets', podSecurity: 'restricted' },
      { name: 'apps', purpose: 'the rest', podSecurity: 'restricted' },
    ],
    upstreamCharts: {
      postgresql: {
        name: 'postgresql',
        repository: 'https://charts.example.org',
        oci: 'oci://registry.example.org/postgresql',
        versionLine: '1.x',
        version: '1.2.3',
        component: 'PostgreSQL',
      },
    },
    secretPaths: [
      {
        path: 'database/main',
        origin: 'seed',
        description: 'main',
        keys: [
          { kind: 'generated', name: 'postgres-password', format: 'alphanumeric', length: 32 },
          { kind: 'generated', name: 'password', format: 'alphanumeric', length: 32 },
        ],
      },
      {
        path: 'app/token',
        origin: 'ours',
        description: 'token',
        keys: [{ kind: 'supplied', name: 'token', description: 'a token', initially: 'required' }],
      },
    ],
    databases: [{ server: 'db', name: 'main', owner: 'main', password: { path: 'database/main', key: 'password' } }],
    migrations: [{ service: 'migrate', database: 'db/main', location: 'migrations/migrate' }],
    bucketSets: [],
    realm: {
      name: 'realm',
      job: 'migrate',
      file: 'realms/realm.json',
      admin: { path: 'database/main', username: 'password', password: 'password' },
      clients: [{ clientId: 'web', service: 'web', public: true }],
    },
    temporalNamespaces: [],
    applicationSet: { name: 'all', namespace: 'apps', namespaces: ['apps'] },
    services: [
      sampleService('vault', 100, {
        namespace: 'vault-system',
        health: { kind: 'vault', port: 8200 },
        ports: [{ name: 'http', port: 8200, containerPort: 8200, protocol: 'http' }],
        stateful: true,
        after: [{ kind: 'vault-init', name: 'vault-init', startupSeconds: 2 }],
      }),
      sampleService('db', 101, {
        dependsOn: ['vault'],
        chart: { bundled: 'postgresql', upstream: 'postgresql' },
        stateful: true,
        secrets: [{ path: 'database/main', delivery: 'kubernetes', keys: ['postgres-password'] }],
        after: [
          {
            kind: 'release',
            name: 'db-databases',
            chart: 'job',
            job: true,
            image: { repository: 'postgres', tag: '16', own: false },
            secrets: [{ path: 'database/main', delivery: 'kubernetes' }],
            startupSeconds: 5,
          },
        ],
      }),
      sampleService('migrate', 102, {
        kind: 'job',
        chart: { bundled: 'job' },
        health: { kind: 'job' },
        ports: [],
        dependsOn: ['db'],
        databases: ['db/main'],
        startupSeconds: 4,
        secrets: [{ path: 'database/main', delivery: 'kubernetes', keys: ['password'] }],
      }),
      sampleService('api', 103, {
        dependsOn: ['migrate'],
        databases: ['db/main'],
        secrets: [
          { path: 'database/main', delivery: 'kubernetes', keys: ['password'] },
          { path: 'app/token', delivery: 'login' },
        ],
      }),
      sampleService('web', 104, {
        dependsOn: ['api'],
        ports: [{ name: 'http', port: 80, containerPort: 8080, nodePort: 31000, protocol: 'http' }],
      }),
    ],
  };
}

/** The same as it is read. */
export function soundSample(): Catalog {
  return validateCatalog(sampleCatalog(), () => 'sample.ts');
}

/** A service of a catalog, to be changed in place. @throws Error when there is none */
export function serviceIn(
  catalog: CatalogInput,
  name: string,
): ServiceInput & { ports: NonNullable<ServiceInput['ports']> } {
  const service = catalog.services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`no service ${name}`);
  return Object.assign(service, { ports: (service.ports ??= []) });
}
