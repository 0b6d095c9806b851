import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import type { Face } from './face.ts';

const SERVING = 1;
const NOT_SERVING = 2;
const same = (bytes: Buffer): Buffer => bytes;

/** gRPC health, and traces taken and forgotten. Messages as bytes: each has one field at most. */
export async function serveGrpc(port: number, face: Face): Promise<void> {
  const server = new Server();
  const health: handleUnaryCall<Buffer, Buffer> = (_call, done) => {
    done(null, Buffer.from([0x08, face.report().state === 'healthy' ? SERVING : NOT_SERVING]));
  };
  const traces: handleUnaryCall<Buffer, Buffer> = (_call, done) => {
    done(null, Buffer.alloc(0));
  };
  server.register('/grpc.health.v1.Health/Check', health, same, same, 'unary');
  server.register('/opentelemetry.proto.collector.trace.v1.TraceService/Export', traces, same, same, 'unary');
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`[::]:${port}`, ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
