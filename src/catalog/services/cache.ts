import { redisServer } from '../build.ts';
import type { ServiceInput } from '../schema.ts';

export const cache: ServiceInput[] = [
  {
    ...redisServer('control-plane-redis', 'cache-system', 'cache/control-plane-redis'),
    number: 5,
    phase: 2,
    module: 'cache',
    description: 'Lead tokens, sessions',
  },
  {
    ...redisServer('app-plane-redis', 'app-plane', 'cache/app-plane-redis'),
    number: 24,
    phase: 8,
    module: 'cache',
    description: 'App cache',
  },
];
