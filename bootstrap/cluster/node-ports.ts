/**
 * NodePorts that belong to nobody. An API server or etcd that dies while a Service is created can leave its ports
 * allocated. The API server itself believes in such a leak only after it has seen it three times, every three minutes,
 * and begins to count anew with each start. What is allocated is known from the Services alone, though: without a
 * record the API server makes one from them as it starts, before it allocates anything. So the record is removed while
 * no API server runs.
 */
import http2 from 'node:http2';
import { LOOPBACK, type Ports } from '../process/ports.ts';

const RECORD = '/registry/ranges/servicenodeports';
const WITHIN_MS = 3000;

/** Only while no API server runs. @throws Error when etcd does not do it in time */
export async function forgetNodePorts(ports: Ports): Promise<void> {
  await removeFromEtcd(ports, RECORD);
}

/** @param key as etcd has it, not an object's path @throws Error when etcd does not do it in time */
export async function removeFromEtcd(ports: Ports, key: string): Promise<void> {
  const session = http2.connect(`http://${LOOPBACK}:${ports['etcd']}`);
  const failed = new Promise<never>((_resolve, reject) => {
    session.once('error', reject);
    setTimeout(() => reject(new Error(`etcd did not answer within ${WITHIN_MS} ms`)), WITHIN_MS).unref();
  });
  try {
    await Promise.race([call(session, '/etcdserverpb.KV/DeleteRange', keyOnly(key)), failed]);
  } finally {
    session.destroy();
  }
}

/** A DeleteRangeRequest with its first field alone. */
function keyOnly(key: string): Buffer {
  const bytes = Buffer.from(key);
  return Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);
}

/** One call of gRPC with one message; of the answer only whether it succeeded matters. */
function call(session: http2.ClientHttp2Session, method: string, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': method,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: string | undefined;
    const note = (headers: http2.IncomingHttpHeaders): void => {
      const value = headers['grpc-status'];
      if (value !== undefined) status = String(value);
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', reject);
    stream.on('end', () => {
      if (status === '0') resolve();
      else reject(new Error(`etcd answered ${method} with gRPC status ${status ?? 'none'}`));
    });
    stream.resume();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  });
}
