/**
 * Drift of Vault and of the Secrets made from it: planted with plain clients, found, attributed, and repaired by the
 * deployment's own activities.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { findVaultDrift, type VaultDrift } from '../../../src/effects/drift/vault.ts';
import { createActivities } from '../../../src/activities/index.ts';
import type { Clients } from '../../../src/clients/index.ts';
import { readKv, type VaultSession } from '../../../src/clients/vault/index.ts';
import type { RunRef } from '../../../src/contract/operations/deploy.ts';
import type { DriftFinding } from '../../../src/contract/drift.ts';
import { deployerPolicy } from '../../../src/plan/vault/policies.ts';
import type { Kubectl } from '../../support/sandbox/kubectl.ts';
import { testScope } from '../../support/scope.ts';

const signal = new AbortController().signal;

/** On a platform that is as its deployment left it: afterwards it is so again. */
export async function vaultDrift(clients: Clients, kubectl: Kubectl, run: RunRef): Promise<void> {
  const activities = createActivities(clients, () => testScope());
  const find = (): Promise<VaultDrift> => findVaultDrift(clients, clients.environment, signal);
  const asOperator = async <T>(work: (session: VaultSession) => Promise<T>): Promise<T> => {
    const keys = await clients.vault.keys.read();
    assert.ok(keys);
    const session = clients.vault.api.withToken(await clients.vault.api.generateRoot(keys.keys));
    try {
      return await work(session);
    } finally {
      if ((await clients.vault.state()).state === 'open') await session.write('auth/token/revoke-self', {});
    }
  };
  const values = (): Promise<string> =>
    asOperator(async (session) => {
      const entries = await Promise.all(
        clients.catalog.secretPaths.map(async ({ path }) => [
          path,
          Object.entries((await readKv(session, path))?.data ?? {}).sort(),
        ]),
      );
      return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
    });
  const repair = async (): Promise<void> => {
    await activities.openVault(run);
    await activities.configureVault(run);
    await activities.seedVault(run);
    await activities.syncSecrets(run);
  };

  const untouched = await find();
  assert.deepEqual(untouched.findings, []);
  assert.ok(untouched.checked.vault > 40 && untouched.checked.secrets > 30, JSON.stringify(untouched.checked));
  assert.match(untouched.simulated, /^Simulated pods cannot show: buckets \(2 sets\), realm ananta-saas/);
  const before = await values();

  // Every kind that can be seen at once.
  await asOperator(async (session) => {
    await session.write('sys/policies/acl/ananta-read-app-plane.cns-service', {
      policy: 'path "secret/data/app-plane/cns-service" { capabilities = ["read", "delete"] }',
    });
    await session.remove('sys/policies/acl/ananta-read-control-plane.webhooks');
    await session.write('sys/policies/acl/backdoor', { policy: 'path "*" { capabilities = ["sudo"] }' });
    await session.write('auth/kubernetes/role/ananta-cns-service', {
      ...((await session.read('auth/kubernetes/role/ananta-cns-service')) as { data: object }).data,
      bound_service_account_namespaces: ['*'],
    });
    await session.remove('auth/kubernetes/role/ananta-webhook-bridge');
    await session.write('auth/kubernetes/role/ananta-gone', {
      bound_service_account_names: ['gone'],
      bound_service_account_namespaces: ['control-plane'],
      token_policies: ['default'],
    });
    // No Kubernetes Secret is made from these two, so the repair has to bring back what was deleted from within Vault.
    await session.remove('secret/data/control-plane/jwt');
    const { data } = (await readKv(session, 'control-plane/temporal'))!;
    const { 'payload-encryption-key': _key, ...rest } = data;
    await session.write('secret/data/control-plane/temporal', { data: rest, options: { cas: 1 } });
    await session.remove('secret/metadata/cache/novu-redis');
    await session.write('sys/mounts/secret/tune', { max_lease_ttl: '1h' });
    await session.write('secret/config', { delete_version_after: '1h' });
    await session.write('auth/kubernetes/config', {
      ...((await session.read('auth/kubernetes/config')) as { data: object }).data,
      issuer: 'https://elsewhere',
      token_reviewer_jwt: 'none',
    });
    await session.write('sys/auth/approle', { type: 'approle' });
  });
  await kubectl([
    '-n',
    'cache-system',
    'patch',
    'secret',
    'vault-cache-control-plane-redis',
    '--field-manager=somebody',
    '--type=merge',
    '-p',
    '{"data":{"redis-password":"aHVudGVyMg=="}}',
  ]);
  await kubectl(['-n', 'auth-system', 'delete', 'secret', 'vault-auth-keycloak']);
  await kubectl([
    '-n',
    'argocd',
    'label',
    'secret',
    'argocd-secret',
    '--field-manager=labeller',
    '--overwrite',
    'app.kubernetes.io/part-of=other',
  ]);
  await kubectl([
    '-n',
    'app-plane',
    'patch',
    'secret',
    'vault-messaging-rabbitmq',
    '--field-manager=somebody',
    '--type=merge',
    '-p',
    '{"data":{"more":"bW9yZQ=="}}',
  ]);
  // The reviewer's token was changed as well: no login works, and this is the only finding in Vault that can be made.
  const blind = await find();
  assert.deepEqual(named(blind.findings.filter(({ area }) => area === 'vault')), [
    'not-observable Vault login of the deployer',
  ]);
  const login = blind.findings.find(({ kind }) => kind === 'not-observable');
  assert.equal(login?.repair, undefined);
  assert.match(login?.note ?? '', /npm run ananta -- deploy --env/);
  await asOperator(async (session) => {
    const { data } = (await clients.kubernetes.get(
      '/api/v1/namespaces/vault-system/secrets/vault-token-reviewer-token',
    )) as unknown as { data: { token: string } };
    await session.write('auth/kubernetes/config', {
      ...((await session.read('auth/kubernetes/config')) as { data: object }).data,
      token_reviewer_jwt: Buffer.from(data.token, 'base64').toString(),
    });
  });

  const drifted = await find();
  const planted = [
    'changed Secret argocd/argocd-secret metadata.labels.app.kubernetes.io/part-of',
    'changed Secret cache-system/vault-cache-control-plane-redis data.redis-password',
    'changed Vault configuration of auth/kubernetes issuer',
    'changed Vault mount secret/ config.max_lease_ttl',
    'changed Vault mount secret/ kv.delete_version_after',
    'changed Vault policy ananta-read-app-plane.cns-service path "secret/data/app-plane/cns-service"',
    'changed Vault role ananta-cns-service bound_service_account_namespaces',
    'extra Secret app-plane/vault-messaging-rabbitmq data.more',
    'extra Vault auth method approle/',
    'extra Vault policy backdoor',
    'extra Vault role ananta-gone',
    'missing Secret auth-system/vault-auth-keycloak',
    'missing Vault policy ananta-read-control-plane.webhooks',
    'missing Vault role ananta-webhook-bridge',
    'missing Vault secret cache/novu-redis',
    'missing Vault secret control-plane/jwt',
    'missing Vault secret control-plane/temporal payload-encryption-key',
  ];
  assert.deepEqual(named(drifted.findings), planted);
  const of = (object: string): DriftFinding => drifted.findings.find((finding) => finding.object === object)!;
  assert.equal(of('Secret cache-system/vault-cache-control-plane-redis').by, 'somebody');
  assert.equal(of('Secret argocd/argocd-secret').by, 'labeller');
  assert.deepEqual(
    [of('Vault secret control-plane/jwt').by, of('Vault secret control-plane/jwt').repair],
    ['root', 'vault'],
  );
  for (const { at } of [
    of('Secret argocd/argocd-secret'),
    of('Vault secret control-plane/jwt'),
    of('Vault secret control-plane/temporal'),
  ])
    assert.ok(Date.parse(at ?? '') > 0, at);
  assert.deepEqual(
    [of('Vault policy ananta-read-app-plane.cns-service').was, of('Vault policy ananta-read-app-plane.cns-service').is],
    ['read', 'delete, read'],
  );
  assert.deepEqual(
    named(drifted.findings.filter(({ repair: by }) => by === undefined)),
    planted.filter((line) => line.startsWith('extra ')),
  );
  const text = JSON.stringify(drifted);
  for (const value of ['hunter2', 'aHVudGVyMg', 'bW9yZQ']) assert.ok(!text.includes(value));
  assert.deepEqual(
    (await find()).findings.map(({ key, valueDigest }) => [key, valueDigest]),
    drifted.findings.map(({ key, valueDigest }) => [key, valueDigest]),
  );

  await repair();
  const left = await find();
  assert.deepEqual(
    named(left.findings),
    planted.filter((line) => line.startsWith('extra ')),
  );
  assert.equal(await values(), before, 'a value is another one than before');
  await asOperator(async (session) => {
    await session.remove('sys/policies/acl/backdoor');
    await session.remove('auth/kubernetes/role/ananta-gone');
    await session.remove('sys/auth/approle');
  });
  await kubectl([
    '-n',
    'app-plane',
    'patch',
    'secret',
    'vault-messaging-rabbitmq',
    '--type=merge',
    '-p',
    '{"data":{"more":null}}',
  ]);
  assert.deepEqual(named((await find()).findings), []);

  // Vault is sealed.
  await asOperator((session) => session.write('sys/seal', {}).catch(() => undefined));
  const sealed = await find();
  assert.deepEqual(
    sealed.findings.map(({ kind, object, repair: by }) => [kind, object, by]),
    [['sealed', 'Vault', 'unseal']],
  );
  assert.equal((await clients.vault.state()).state, 'sealed');
  await activities.openVault(run);
  assert.deepEqual(named((await find()).findings), []);

  // A right of the deployer taken away, then its role.
  await asOperator((session) =>
    session.write('sys/policies/acl/ananta-deployer', {
      policy: deployerPolicy()
        .policy.split('\n')
        .filter((line) => !line.includes('secret/metadata'))
        .join('\n'),
    }),
  );
  const partly = await find();
  assert.deepEqual(named(partly.findings), [
    'changed Vault policy ananta-deployer path "secret/metadata/*"',
    'not-observable Vault secrets',
  ]);
  await asOperator((session) => session.remove('auth/kubernetes/role/ananta-deployer'));
  assert.deepEqual(named((await find()).findings), ['not-observable Vault login of the deployer']);
  await repair();
  assert.deepEqual(named((await find()).findings), []);
  assert.equal(await values(), before, 'a value is another one than before');
}

function named(findings: readonly DriftFinding[]): string[] {
  return findings
    .map(({ kind, object, field }) => [kind, object, ...(field === undefined ? [] : [field])].join(' '))
    .sort();
}
