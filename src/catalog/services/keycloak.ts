import { fromSecret, http, httpHealth, jobRow } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const keycloak: ServiceInput[] = [
  {
    number: 10,
    phase: 4,
    name: 'keycloak',
    namespace: 'auth-system',
    module: 'keycloak',
    kind: 'release',
    description: 'OAuth2 and OpenID Connect',
    chart: { bundled: 'keycloak', upstream: 'keycloak' },
    image: IMAGES.keycloak,
    dependsOn: ['control-plane-postgres'],
    // From 25 on health answers on the management port; the publisher's chart runs 24.
    health: httpHealth(9000, '/health/ready'),
    healthUpstream: httpHealth(8080, '/health/ready'),
    ports: [http('http', 8080, { nodePort: 31180 }), http('management', 9000)],
    publicHost: { name: 'auth', port: 'http' },
    secrets: [fromSecret('database/keycloak'), fromSecret('auth/keycloak', 'admin-username', 'admin-password')],
    databases: ['control-plane-postgres/keycloak'],
    checks: [
      {
        kind: 'http',
        name: 'realm',
        description: 'Applications find the realm that the platform signs in to',
        port: 8080,
        path: '/realms/ananta-saas/.well-known/openid-configuration',
        expect: { body: '"issuer"' },
        answer: { body: JSON.stringify({ issuer: 'http://keycloak.auth-system.svc/realms/ananta-saas' }) },
      },
    ],
    startupSeconds: 28,
    healthTimeoutSeconds: 600,
    stateful: false,
  },
  {
    ...jobRow(10),
    number: 11,
    phase: 4,
    name: 'keycloak-init',
    namespace: 'auth-system',
    module: 'keycloak',
    description: 'Imports the realm ananta-saas with its clients',
    image: IMAGES.keycloakConfigCli,
    dependsOn: ['keycloak'],
    secrets: [fromSecret('auth/keycloak')],
  },
];
