/** What the init Jobs make: buckets, the realm with its clients, Temporal namespaces. */
import type { CatalogInput } from './schema.ts';

export const BUCKET_SETS: CatalogInput['bucketSets'] = [
  {
    server: 'control-plane-minio',
    job: 'control-plane-minio-init',
    buckets: ['arc-saas-tenants', 'arc-saas-assets', 'novu-storage'],
  },
  {
    server: 'app-plane-minio',
    job: 'minio-init',
    buckets: ['bom-uploads', 'documents', 'exports', 'avatars', 'enrichment-audit', 'bulk-uploads'],
  },
];

const publicClient = (service: string): NonNullable<CatalogInput['realm']>['clients'][number] => ({
  clientId: service,
  service,
  public: true,
});

export const REALM: CatalogInput['realm'] = {
  name: 'ananta-saas',
  job: 'keycloak-init',
  file: 'realms/ananta-saas.json',
  admin: { path: 'auth/keycloak', username: 'admin-username', password: 'admin-password' },
  clients: [
    publicClient('admin-app'),
    publicClient('customer-portal'),
    publicClient('cns-dashboard'),
    publicClient('backstage-portal'),
    publicClient('dashboard'),
    { clientId: 'tenant-management-service', service: 'tenant-management-service', public: false },
  ],
};

export const TEMPORAL_NAMESPACES: CatalogInput['temporalNamespaces'] = [
  { name: 'arc-saas', retention: '72h', job: 'temporal-init' },
  { name: 'enrichment', retention: '72h', job: 'temporal-init' },
];
