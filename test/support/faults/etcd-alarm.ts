/** Raises etcd's alarm NOSPACE, as etcd does when its space is used up: from then on it refuses writes. */
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';

const ACTIVATE = 1;
const DEACTIVATE = 2;
const NOSPACE = 1;

/** `etcdserverpb.AlarmRequest`: action, and alarm in the third field; of no member in particular. */
const requestOf = (action: number): Buffer => Buffer.from([0x08, action, 0x18, NOSPACE]);

const Maintenance = makeGenericClientConstructor(
  {
    alarm: {
      path: '/etcdserverpb.Maintenance/Alarm',
      requestStream: false,
      responseStream: false,
      requestSerialize: requestOf,
      requestDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  },
  'Maintenance',
);

async function alarm(port: number, action: number): Promise<void> {
  const client = new Maintenance(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    await new Promise<void>((resolve, reject) => {
      (client as unknown as { alarm: (action: number, done: (error: Error | null) => void) => void }).alarm(
        action,
        (error) => {
          if (error === null) resolve();
          else reject(error);
        },
      );
    });
  } finally {
    client.close();
  }
}

/** @param port etcd's of clients */
export function fillEtcd(port: number): Promise<void> {
  return alarm(port, ACTIVATE);
}

export function clearEtcd(port: number): Promise<void> {
  return alarm(port, DEACTIVATE);
}
