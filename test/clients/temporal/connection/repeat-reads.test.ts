/** An engine that says that it did not manage in time, as a busy one does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { repeatReads } from '../../../../src/clients/temporal/connection/repeat-reads.ts';

const bytes = (value: Buffer): Buffer => value;
const definition = (path: string): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});

/**
 * @param late how many calls it does not manage
 * @returns how often it was asked, and the code of the last answer
 */
async function asked(
  method: string,
  late: number,
  options: grpc.CallOptions = {},
): Promise<{ calls: number; code: grpc.status }> {
  const path = `/engine/${method}`;
  let calls = 0;
  const server = new grpc.Server();
  server.addService(
    { [method]: definition(path) },
    {
      [method]: (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => {
        calls += 1;
        if (calls > late) answer(null, Buffer.from('here'));
        else answer({ code: grpc.status.DEADLINE_EXCEEDED, details: 'context deadline exceeded' });
      },
    },
  );
  const insecure = grpc.ServerCredentials.createInsecure();
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', insecure);
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  try {
    const code = await new Promise<grpc.status>((resolve) => {
      const request = { interceptors: [repeatReads], ...options };
      client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), request, (error) => {
        resolve(error?.code ?? grpc.status.OK);
      });
    });
    return { calls, code };
  } finally {
    client.close();
    server.forceShutdown();
  }
}

describe('an engine that does not manage in time', () => {
  const { OK, DEADLINE_EXCEEDED } = grpc.status;
  for (const [what, method, late, options, expected] of [
    ['is asked again for what is only read', 'DescribeSchedule', 2, {}, { calls: 3, code: OK }],
    ['not without end', 'GetSystemInfo', 9, {}, { calls: 4, code: DEADLINE_EXCEEDED }],
    ['not for what changes something', 'CreateSchedule', 1, {}, { calls: 1, code: DEADLINE_EXCEEDED }],
    ['not for what a worker has to answer', 'QueryWorkflow', 1, {}, { calls: 1, code: DEADLINE_EXCEEDED }],
    [
      'not where the caller has said how long',
      'DescribeSchedule',
      1,
      // From when the file is read on: other files of its process may come first.
      { deadline: Date.now() + 3_600_000 },
      { calls: 1, code: DEADLINE_EXCEEDED },
    ],
  ] as const)
    test(what, async () => {
      assert.deepEqual(await asked(method, late, options), expected);
    });
});
