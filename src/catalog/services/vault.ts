import { http } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const vault: ServiceInput[] = [
  {
    number: 2,
    phase: 1,
    name: 'vault',
    namespace: 'vault-system',
    module: 'vault',
    kind: 'release',
    description: 'Secrets management',
    chart: { bundled: 'vault', upstream: 'vault' },
    image: IMAGES.vault,
    dependsOn: [],
    health: { kind: 'vault', port: 8200 },
    ports: [http('http', 8200), { name: 'cluster', port: 8201, containerPort: 8201, protocol: 'tcp' }],
    secrets: [],
    after: [{ kind: 'vault-init', name: 'vault-init', startupSeconds: 2 }],
    startupSeconds: 8,
    healthTimeoutSeconds: 300,
    stateful: true,
    volumeSize: '2Gi',
  },
];
