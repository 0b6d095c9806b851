import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { ask } from '../../../src/clients/kubernetes/ask.ts';
import { UnexpectedAnswerError } from '../../../src/clients/kubernetes/index.ts';
import { createTransport } from '../../../src/clients/kubernetes/transport.ts';
import { fakeApiServer } from '../../support/fakes/api-server.ts';

describe('ask', () => {
  test('what is no answer of an API server is named with the request, without its content', async () => {
    const server = await fakeApiServer();
    const transport = createTransport(server.kubeconfig);
    const schema = z.object({ status: z.object({ allowed: z.boolean() }) });
    const refusal = async (): Promise<string> => {
      const error: unknown = await ask(transport, schema, { method: 'POST', path: '/x', query: { a: 'b' } }).catch(
        (caught: unknown) => caught,
      );
      assert.ok(error instanceof UnexpectedAnswerError, String(error));
      return error.message;
    };
    try {
      server.answer(() => ({ body: { status: { allowed: true } } }));
      assert.deepEqual(await ask(transport, schema, { path: '/x' }), { status: { allowed: true } });
      server.answer(() => ({ body: { kind: 'List', token: 'hush' } }));
      assert.match(await refusal(), /^POST \/x: the answer is not that of a Kubernetes API server \(status: .+\)$/);
      server.answer(() => ({ text: '<html>hush</html>' }));
      assert.equal(await refusal(), 'POST /x: the answer is not that of a Kubernetes API server (it is no JSON)');
    } finally {
      transport.close();
      await server.close();
    }
  });
});
