import { fromSecret, http, tcp } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const rabbitmq: ServiceInput[] = [
  {
    number: 25,
    phase: 8,
    name: 'rabbitmq',
    namespace: 'app-plane',
    module: 'rabbitmq',
    kind: 'release',
    description: 'Message broker with Stream',
    chart: { bundled: 'rabbitmq', upstream: 'rabbitmq' },
    image: IMAGES.rabbitmq,
    dependsOn: ['vault'],
    health: { kind: 'tcp', port: 5672 },
    ports: [tcp('amqp', 5672), tcp('stream', 5552), http('management', 15672, { nodePort: 31673 })],
    secrets: [fromSecret('messaging/rabbitmq')],
    startupSeconds: 20,
    healthTimeoutSeconds: 300,
    stateful: true,
    volumeSize: '5Gi',
  },
];
