import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { GrpcCheck, OtlpCheck, TemporalCheck } from '../check.ts';
import { ATTEMPT_MILLISECONDS, detail } from './refused.ts';

/**
 * One call with messages as bytes: the few that are needed have one field each, which is not worth a generated client.
 */
async function call(host: string, port: number, method: string, message: Buffer): Promise<Buffer> {
  const client = new Client(`${host}:${port}`, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const same = (bytes: Buffer): Buffer => bytes;
      client.makeUnaryRequest(
        method,
        same,
        same,
        message,
        new Metadata(),
        { deadline: Date.now() + ATTEMPT_MILLISECONDS },
        (error, answer) => {
          if (error) reject(new Error(detail(error).message));
          else resolve(answer ?? Buffer.alloc(0));
        },
      );
    });
  } finally {
    client.close();
  }
}

/** DescribeNamespaceRequest { namespace = 1: string }. */
export async function askTemporal({ host, port, namespace }: TemporalCheck): Promise<void> {
  const name = Buffer.from(namespace);
  await call(
    host,
    port,
    '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace',
    Buffer.concat([Buffer.from([0x0a, name.length]), name]),
  );
}

/** HealthCheckResponse { status = 1: SERVING }. */
export async function askGrpc({ host, port }: GrpcCheck): Promise<void> {
  const answer = await call(host, port, '/grpc.health.v1.Health/Check', Buffer.alloc(0));
  if (answer[0] !== 0x08 || answer[1] !== 1) throw new Error('it answers, but does not serve');
}

/** An export of no spans at all. */
export async function askOtlp({ host, port }: OtlpCheck): Promise<void> {
  await call(host, port, '/opentelemetry.proto.collector.trace.v1.TraceService/Export', Buffer.alloc(0));
}
