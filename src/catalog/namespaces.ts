/** The 11 Kubernetes namespaces, and the eight of them that Argo CD shows. */
import type { CatalogInput } from './schema.ts';

const restricted = (name: string, purpose: string): CatalogInput['namespaces'][number] => ({
  name,
  purpose,
  podSecurity: 'restricted',
});

export const NAMESPACES: CatalogInput['namespaces'] = [
  restricted('argocd', 'GitOps'),
  restricted('vault-system', 'Secrets management, and the service account of the deployer'),
  restricted('cnpg-system', 'PostgreSQL operator'),
  restricted('database-system', 'PostgreSQL servers of both planes'),
  restricted('cache-system', 'Redis of the control plane'),
  restricted('auth-system', 'Keycloak'),
  restricted('temporal-system', "The platform's Temporal and its database"),
  restricted('notifications', 'Novu with its stores'),
  restricted('monitoring-system', 'Jaeger and exporters'),
  restricted('control-plane', 'Control plane services'),
  restricted('app-plane', 'App plane services'),
];

export const APPLICATION_SET: CatalogInput['applicationSet'] = {
  name: 'ananta-platform',
  namespace: 'argocd',
  namespaces: [
    'control-plane',
    'app-plane',
    'auth-system',
    'temporal-system',
    'notifications',
    'monitoring-system',
    'database-system',
    'cache-system',
  ],
};
