/** One attempt of a check, by kind. Clients are loaded when they are needed: most services need two or three. */
import type { Check } from '../check.ts';
import { askFolder, askMaterial } from './own.ts';

export { Refused } from './refused.ts';

/** @throws Refused when the answer is no; any other error when there is no usable answer */
export async function ask(check: Check, self: string): Promise<void> {
  switch (check.kind) {
    case 'postgres':
      return (await import('./postgres.ts')).askPostgres(check);
    case 'redis':
      return (await import('./redis.ts')).askRedis(check);
    case 'amqp':
      return (await import('./amqp.ts')).askAmqp(check);
    case 'stream':
      return (await import('./stream.ts')).askStream(check);
    case 'mongodb':
      return (await import('./mongodb.ts')).askMongodb(check);
    case 's3':
      return (await import('./s3.ts')).askS3(check, self);
    case 'temporal':
      return (await import('./grpc.ts')).askTemporal(check);
    case 'grpc':
      return (await import('./grpc.ts')).askGrpc(check);
    case 'otlp':
      return (await import('./grpc.ts')).askOtlp(check);
    case 'vault':
      return (await import('./web.ts')).askVault(check);
    case 'oidc':
      return (await import('./web.ts')).askOidc(check);
    case 'http':
      return (await import('./web.ts')).askHttp(check);
    case 'kubernetes':
      return (await import('./web.ts')).askKubernetes(check);
    case 'folder':
      askFolder(check);
      break;
    case 'material':
      askMaterial(check);
      break;
  }
}
