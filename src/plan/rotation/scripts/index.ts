import type { RotationSystem } from '../../../catalog/schema.ts';
import { minioScript } from './minio.ts';
import { mongodbScript } from './mongodb.ts';
import { postgresqlScript } from './postgresql.ts';
import { rabbitmqScript } from './rabbitmq.ts';
import { redisScript } from './redis.ts';
import type { RotationNames, RotationScript, ServerAct } from './script.ts';

export { VERDICTS, type RotationNames, type RotationScript, type RotationValues, type ServerAct } from './script.ts';

/** The script that carries out a step of a rotation in the server's container. */
export function scriptOf(rotation: RotationSystem, act: ServerAct, names: RotationNames): RotationScript {
  switch (rotation.system) {
    case 'minio':
      return minioScript(rotation, act, names);
    case 'mongodb':
      return mongodbScript(rotation, act, names);
    case 'postgresql':
      return postgresqlScript(rotation, act, names);
    case 'rabbitmq':
      return rabbitmqScript(act, names);
    case 'redis':
      return redisScript(act);
  }
}
