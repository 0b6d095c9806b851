/**
 * A platform of three services for tests of activities: Vault, a store with a password, an application that logs in.
 */
import type { Catalog, CatalogInput, SecretKey } from '../../../src/catalog/schema.ts';
import { validateCatalog } from '../../../src/catalog/validate.ts';
import { DEFAULT_PLATFORM } from '../../../src/environment/platform-folder.ts';

const generated = (name: string): SecretKey => ({ kind: 'generated', name, format: 'alphanumeric', length: 32 });
const supplied = (name: string, description: string): SecretKey => ({
  kind: 'supplied',
  name,
  description,
  initially: 'required',
});
const jwt = (name: string, role: string): SecretKey => ({
  kind: 'jwt',
  name,
  signedWith: 'jwt-secret',
  claims: { role, iss: 'apps' },
});

const SERVICES: CatalogInput['services'] = [
  {
    number: 1,
    phase: 1,
    name: 'vault',
    namespace: 'vault-system',
    module: 'infrastructure',
    description: 'Secrets management',
    chart: { bundled: 'vault' },
    image: { repository: 'docker.io/hashicorp/vault', tag: '1.21.4' },
    health: { kind: 'vault', port: 8200 },
    ports: [
      { name: 'http', port: 8200, containerPort: 8200, protocol: 'http' },
      { name: 'cluster', port: 8201, containerPort: 8201, protocol: 'tcp' },
    ],
    after: [{ kind: 'vault-init', name: 'vault-init', startupSeconds: 2 }],
    startupSeconds: 8,
    healthTimeoutSeconds: 300,
    stateful: true,
    volumeSize: '2Gi',
  },
  {
    number: 2,
    phase: 2,
    name: 'cache',
    namespace: 'stores',
    module: 'stores',
    description: 'A store with a password of its own',
    chart: { bundled: 'redis' },
    image: { repository: 'docker.io/library/redis', tag: '7.4.9-alpine' },
    dependsOn: ['vault'],
    health: { kind: 'exec', command: ['redis-cli', '-e', '-h', 'cache.stores.svc', 'ping'], answer: 'PONG' },
    ports: [{ name: 'redis', port: 6379, containerPort: 6379, protocol: 'tcp' }],
    secrets: [{ path: 'stores/cache', delivery: 'kubernetes' }],
    startupSeconds: 4,
    healthTimeoutSeconds: 180,
    stateful: true,
    volumeSize: '2Gi',
  },
  {
    number: 3,
    phase: 3,
    name: 'api',
    namespace: 'apps',
    module: 'apps',
    description: 'Reads some paths through Kubernetes, and its own from Vault itself',
    chart: { bundled: 'service' },
    image: { repository: 'api', tag: '1.0.0', own: true },
    dependsOn: ['cache'],
    health: { kind: 'http', port: 8000, path: '/health' },
    ports: [{ name: 'http', port: 8000, containerPort: 8000, nodePort: 31200, protocol: 'http' }],
    secrets: [
      { path: 'stores/sessions', delivery: 'kubernetes' },
      { path: 'stores/queue', delivery: 'kubernetes', keys: ['username', 'password'] },
      { path: 'apps/api', delivery: 'login' },
    ],
    startupSeconds: 15,
    healthTimeoutSeconds: 300,
  },
];

/** @returns made anew each time: tests change it. Its name is the default one, as of records without a platform's */
export function fakeCatalog(): Catalog {
  return validateCatalog(
    {
      name: DEFAULT_PLATFORM,
      title: 'Three services',
      phases: ['Infrastructure', 'Stores', 'Applications'].map((title, index) => ({ number: index + 1, title })),
      namespaces: ['vault-system', 'stores', 'apps'].map((name) => ({
        name,
        purpose: 'A part of it',
        podSecurity: 'restricted' as const,
      })),
      secretPaths: [
        { path: 'stores/cache', description: 'Password of cache', keys: [generated('redis-password')] },
        { path: 'stores/sessions', description: 'Another password', keys: [generated('redis-password')] },
        {
          path: 'stores/queue',
          description: 'A user with what only administrators need',
          keys: [{ kind: 'fixed', name: 'username', value: 'apps' }, generated('password'), generated('cookie')],
        },
        {
          path: 'apps/api',
          description: 'A token of its own, and keys of others',
          keys: [
            generated('api-token'),
            supplied('mail-api-key', 'Key of the mail provider'),
            supplied('payment-token', 'Token of the payment provider'),
          ],
        },
        {
          path: 'apps/tokens',
          description: 'A secret and tokens that are signed with it: nothing reads them',
          keys: [generated('jwt-secret'), jwt('anon-key', 'anon'), jwt('service-role-key', 'service_role')],
        },
      ],
      services: SERVICES,
    },
    () => 'test/support/fakes/catalog.ts',
  );
}
