/** Services that log in to Vault over TLS get the authority of its certificate. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createActivities } from '../../../src/activities/index.ts';
import { authorityFindings } from '../../../src/effects/vault/authorities.ts';
import { madeSecrets } from '../../../src/effects/vault/secrets/made-secrets.ts';
import { observeVault } from '../../../src/effects/vault/observe.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { readAuthority } from '../../../src/clients/vault/index.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { testScope } from '../../support/scope.ts';

const PLACE = '/api/v1/namespaces/vault-system/secrets/vault-tls';
const secret = (authority: string): KubernetesObject => ({
  metadata: { name: 'vault-tls', namespace: 'vault-system', uid: '', resourceVersion: '1' },
  data: { 'ca.crt': Buffer.from(authority).toString('base64') },
});

/** Vault is open and filled, and its certificate has an authority. */
async function seededOverTls({ clients, cluster, run }: FakeParts): Promise<ReturnType<typeof createActivities>> {
  clients.environment.vault = { ...clients.environment.vault, tls: { secret: 'vault-tls' } };
  cluster.objects.set(PLACE, secret('AUTHORITY'));
  const activities = createActivities(clients, () => testScope());
  await activities.openVault(run);
  await activities.configureVault(run);
  await activities.seedVault(run);
  return activities;
}

describe("the authority of Vault's certificate", () => {
  test('goes into the namespaces of services that log in, once, and again when it is another one', async () => {
    await withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      const activities = await seededOverTls(parts);
      const written = async (): Promise<string[]> =>
        (await activities.syncSecrets(parts.run)).written.filter((name) => name.endsWith('/vault-ca'));
      assert.deepEqual(await written(), ['apps/vault-ca']);
      assert.deepEqual(await written(), []);
      cluster.objects.set(PLACE, secret('ANOTHER'));
      assert.deepEqual(await written(), ['apps/vault-ca']);
      assert.equal(await readAuthority(clients.kubernetes, 'apps', 'vault-ca'), 'ANOTHER');
    });
  });

  test('another one is planned, marked for who has started before, and found as drift', async () => {
    await withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      const activities = await seededOverTls(parts);
      await activities.syncSecrets(parts.run);
      const seen = async (): Promise<{
        reasons: string[];
        changed: { name: string; stale: boolean; changedAt?: string }[];
      }> => {
        const { vaultReasons = [], changedSecrets = [] } = await observeVault(
          clients,
          clients.environment,
          AbortSignal.timeout(10_000),
        );
        const ours = ({ name }: { name: string }): boolean => name === 'vault-ca';
        return {
          reasons: vaultReasons.filter((text) => text.includes('vault-ca')),
          changed: changedSecrets.filter(ours),
        };
      };
      const drift = async (): Promise<string[]> => {
        const made = await madeSecrets(clients);
        const { findings } = await authorityFindings(clients, made, AbortSignal.timeout(10_000));
        return findings.map(({ kind, object, repair }) => `${kind} ${object} ${repair ?? ''}`);
      };
      assert.deepEqual([await seen(), await drift()], [{ reasons: [], changed: [] }, []]);

      cluster.objects.set(PLACE, secret('ANOTHER'));
      const before = await seen();
      assert.deepEqual(before.reasons, ['Secret apps/vault-ca is not the authority in vault-system/vault-tls']);
      assert.deepEqual(
        before.changed.map(({ stale }) => stale),
        [true],
      );
      assert.deepEqual(await drift(), ['changed Secret apps/vault-ca secret']);
      await activities.syncSecrets(parts.run);
      const after = await seen();
      assert.deepEqual([after.reasons, await drift()], [[], []]);
      assert.match(after.changed[0]?.changedAt ?? '', /^\d{4}-/);

      cluster.objects.delete('/api/v1/namespaces/apps/secrets/vault-ca');
      assert.deepEqual((await seen()).reasons, ['Secret apps/vault-ca is missing']);
      assert.deepEqual(await drift(), ['missing Secret apps/vault-ca secret']);
    });
  });

  test('that is not there is named with what has to be made', async () => {
    await withFakeClients(async ({ clients }) => {
      await assert.rejects(readAuthority(clients.kubernetes, 'vault-system', 'vault-tls'), {
        name: 'VaultUnreachableError',
        message: /Secret vault-system\/vault-tls .*has no ca\.crt/,
      });
    });
  });
});
