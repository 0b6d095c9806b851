import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerRightsProblem } from '../../../src/cli/install/role.ts';
import type { AccessQuestion } from '../../../src/clients/kubernetes/index.ts';
import { miniCatalog } from '../../support/mini.ts';

test('whether workers may deploy is asked for each namespace in which the platform has services', async () => {
  const catalog = await miniCatalog();
  const asked: string[] = [];
  const problem = (denied: (question: AccessQuestion) => boolean): Promise<string | undefined> =>
    workerRightsProblem(
      {
        mayAccount: (_account, question) => {
          asked.push(`${question.verb} ${question.resource} in ${question.namespace}`);
          return Promise.resolve(!denied(question));
        },
      },
      catalog,
    );
  assert.equal(await problem(() => false), undefined);
  const namespaces = [...new Set(catalog.services.map(({ namespace }) => namespace))];
  assert.deepEqual(
    asked,
    namespaces.flatMap((namespace) => [`list secrets in ${namespace}`, `create secrets in ${namespace}`]),
  );
  assert.match(
    (await problem(({ verb, namespace }) => verb === 'create' && namespace === 'data')) ?? '',
    /may not deploy yet to data: give it the role of a deployer: npm run ananta -- rbac apply/,
  );
});
