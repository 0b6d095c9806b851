import { fromSecret, http, httpHealth } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const argocd: ServiceInput[] = [
  {
    number: 1,
    phase: 1,
    name: 'argocd',
    namespace: 'argocd',
    module: 'argocd',
    kind: 'release',
    description: 'GitOps: shows what was deployed',
    chart: { bundled: 'argo-cd', upstream: 'argo-cd' },
    image: IMAGES.argocd,
    // Its administrator's password comes from Vault.
    dependsOn: ['vault'],
    health: httpHealth(8080, '/healthz'),
    ports: [http('http', 80, { containerPort: 8080 })],
    secrets: [
      {
        ...fromSecret('gitops/argocd', 'admin.password', 'admin.passwordMtime', 'server.secretkey'),
        // Argo CD reads exactly this Secret, and only with this label.
        secretName: 'argocd-secret',
        labels: { 'app.kubernetes.io/part-of': 'argocd' },
      },
      fromSecret('gitops/argocd', 'redis-password'),
    ],
    after: [
      { kind: 'release', name: 'ananta-platform', chart: 'platform-applications', job: false, startupSeconds: 0 },
    ],
    makes: [
      { kind: 'AppProject', name: 'default' },
      { kind: 'Secret', name: 'argocd-initial-admin-secret' },
      { kind: 'Secret', name: 'argocd-redis' },
      { kind: 'Secret', name: 'argocd-secret' },
    ],
    startupSeconds: 20,
    healthTimeoutSeconds: 300,
    stateful: false,
  },
];
