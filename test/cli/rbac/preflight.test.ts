import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireDeployerRights, requireWorkerRights } from '../../../src/cli/rbac/preflight.ts';
import type { AccessQuestion, GrantedRule } from '../../../src/clients/kubernetes/index.ts';
import { type AccessBasis, identityOf } from '../../../src/plan/access/identities.ts';
import { type PolicyRule, rulesOf } from '../../../src/plan/access/rules.ts';

const basis: AccessBasis = { namespaces: ['apps', 'vault-system'], releases: [] };
const identity = identityOf('deployer', basis);
const rulesIn = (namespace: string): PolicyRule[] =>
  rulesOf([...identity.cluster, ...(identity.namespaced.get(namespace) ?? [])]);
const asking = (
  myRules: (namespace: string) => GrantedRule[],
  mayI: (question: AccessQuestion) => boolean = () => false,
  complete = true,
) => ({
  server: 'https://api',
  myRules: (namespace: string) => Promise.resolve({ rules: myRules(namespace), complete }),
  mayI: (question: AccessQuestion) => Promise.resolve(mayI(question)),
  mayAccount: (_account: unknown, question: AccessQuestion) => Promise.resolve(mayI(question)),
});
const check = (
  kubernetes: Parameters<typeof requireDeployerRights>[0],
  rendered = () => Promise.resolve(basis),
): Promise<void> => requireDeployerRights(kubernetes, 'staging', basis.namespaces, rendered);
const refusedWith =
  (expected: RegExp) =>
  (error: Error & { exitCode?: number }): boolean =>
    error.exitCode === 3 && expected.test(error.message);

describe('rights before a deployment', () => {
  test('an administrator is asked once, and no chart is rendered', async () => {
    await check(
      asking(() => [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]),
      () => Promise.reject(new Error('rendered')),
    );
  });

  test('who has exactly what the deployer needs goes on', async () => {
    await check(asking(rulesIn));
  });

  test('what is missing is named, with its namespace, and much of it is counted', async () => {
    await assert.rejects(
      check(
        asking((namespace) =>
          rulesIn(namespace).map((rule) => ({
            ...rule,
            resources: rule.resources.filter((resource) => resource !== 'pods/portforward' || namespace !== 'apps'),
          })),
        ),
      ),
      refusedWith(
        /may not do what a deployment has to do:\n {2}create pods\/portforward in apps\n {2}get pods\/portforward in apps$/,
      ),
    );
    await assert.rejects(check(asking(() => [])), refusedWith(/and \d+ more/));
  });

  test('where another authorizer decides, it is asked', async () => {
    await check(
      asking(
        () => [],
        () => true,
        false,
      ),
    );
    await assert.rejects(
      check(
        asking(
          () => [],
          ({ resource }) => resource !== 'nodes',
          false,
        ),
      ),
      refusedWith(/:\n {2}get nodes in the whole cluster\n {2}list nodes in the whole cluster$/),
    );
  });

  test('workers in the cluster are asked about', async () => {
    await requireWorkerRights(
      asking(
        () => [],
        () => true,
      ),
      'staging',
      basis.namespaces,
    );
    await assert.rejects(
      requireWorkerRights(
        asking(
          () => [],
          ({ verb, namespace }) => verb !== 'watch' || namespace !== 'apps',
        ),
        'staging',
        basis.namespaces,
      ),
      refusedWith(/deployer-worker\) may not.*:\n {2}watch pods in apps$/s),
    );
  });
});
