import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ApplicationFailure } from '@temporalio/common';
import { createActivities } from '../../../src/activities/index.ts';
import { getSecret, missingSecrets, setSecret } from '../../../src/effects/secrets.ts';
import { observeVault } from '../../../src/effects/vault/observe.ts';
import type { Activities } from '../../../src/contract/activities.ts';
import type { RunRef } from '../../../src/contract/operations/deploy.ts';
import { serviceRoles } from '../../../src/plan/vault/policies.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { testScope } from '../../support/scope.ts';

const signal = new AbortController().signal;

async function initialise(activities: Activities, run: RunRef): Promise<void> {
  await activities.openVault(run);
  await activities.configureVault(run);
  await activities.seedVault(run);
  await activities.syncSecrets(run);
}

function activitiesOf({ clients }: FakeParts): Activities {
  return createActivities(clients, () => testScope());
}

/** All current values, by path. */
function valuesOf({ vault }: FakeParts): Record<string, unknown> {
  return Object.fromEntries(
    [...vault.kv]
      .filter(([path]) => !path.startsWith('ananta-deploy/'))
      .map(([path, { versions }]) => [path, versions.at(-1)?.data]),
  );
}

describe('initialisation of Vault', () => {
  test('a second one changes nothing', async () => {
    await withFakeClients(async (parts) => {
      const activities = activitiesOf(parts);
      await initialise(activities, parts.run);
      assert.deepEqual(await observeVault(parts.clients, parts.clients.environment, signal), {
        vault: 'open',
        vaultConfigured: true,
        vaultReason: '',
      });
      assert.deepEqual(
        [...parts.vault.roles.keys()].sort(),
        ['ananta-deployer', ...serviceRoles(parts.clients.catalog).map(({ name }) => name)].sort(),
      );
      const before = valuesOf(parts);
      parts.cluster.applied.length = 0;
      assert.deepEqual(await activities.openVault(parts.run), { initialized: false, unsealed: false });
      assert.deepEqual((await activities.configureVault(parts.run)).changed, []);
      assert.deepEqual((await activities.seedVault(parts.run)).written, []);
      assert.deepEqual((await activities.syncSecrets(parts.run)).written, []);
      assert.deepEqual([valuesOf(parts), parts.cluster.applied], [before, []]);
    });
  });

  test('what an earlier version has made in Vault goes once the new roles are there; what somebody has made stays', async () => {
    await withFakeClients(async (parts) => {
      const activities = activitiesOf(parts);
      await initialise(activities, parts.run);
      const { catalog } = parts.clients;
      const login = serviceRoles(catalog)[0]!;
      const service = login.serviceAccount;
      const other = catalog.services.find(({ secrets }) => secrets.every(({ delivery }) => delivery !== 'login'))!;
      const text = (name: string): string => `# ${name}\npath "secret/data/a/b" { capabilities = ["read"] }`;
      // As the earlier version left them: a role and a policy of the same name for each service.
      parts.vault.roles.set(login.name, { ...parts.vault.roles.get(login.name), token_policies: [login.name] });
      parts.vault.roles.set(`ananta-${other.name}`, {
        bound_service_account_names: [other.name],
        bound_service_account_namespaces: [other.namespace],
        token_policies: [`ananta-${other.name}`],
      });
      for (const name of [service, other.name]) parts.vault.policies.set(`ananta-${name}`, text(name));
      parts.vault.policies.set('ananta-theirs', text('theirs'));
      const { changed } = await activities.configureVault(parts.run);
      assert.deepEqual(changed, [
        `role ${login.name}`,
        `role ananta-${other.name} of an earlier version removed`,
        ...[`ananta-${service}`, `ananta-${other.name}`]
          .sort()
          .map((name) => `policy ${name} of an earlier version removed`),
        'root token revoked',
      ]);
      assert.ok(parts.vault.policies.has('ananta-theirs'));
      assert.deepEqual(parts.vault.roles.get(login.name)?.['token_policies'], login.policies);
      assert.deepEqual((await activities.configureVault(parts.run)).changed, []);
    });
  });

  test('a reviewer that was made anew is told to Vault, whatever login the deployer still has from before', async () => {
    await withFakeClients(async (parts) => {
      const activities = activitiesOf(parts);
      await initialise(activities, parts.run);
      const path = '/api/v1/namespaces/vault-system/secrets/vault-token-reviewer-token';
      const secret = parts.cluster.objects.get(path)!;
      parts.cluster.objects.set(path, { ...secret, data: { token: Buffer.from('another-token').toString('base64') } });
      parts.vault.reviewer = 'another-token';
      await activities.configureVault(parts.run);
      // As a service before its first login.
      parts.clients.vault.forgetLogin();
      assert.equal((await observeVault(parts.clients, parts.clients.environment, signal)).vaultConfigured, true);
    });
  });

  test('cut at any request it can be repeated: one initialisation, no root token left, no value ever changed', async () => {
    let requests = 0;
    await withFakeClients(async (parts) => {
      await initialise(activitiesOf(parts), parts.run);
      requests = parts.vault.requests.length;
    });
    assert.ok(requests > 30);
    for (const when of ['before', 'after'] as const) {
      for (let number = 1; number <= requests; number += 1) {
        await withFakeClients(async (parts) => {
          const activities = activitiesOf(parts);
          parts.vault.cutAt(number, when);
          await initialise(activities, parts.run).catch(() => undefined);
          parts.vault.heal();
          const where = `cut ${when} request ${number}: ${parts.vault.requests.at(-1)}`;
          const written = valuesOf(parts);
          const again = await initialise(activities, parts.run).then(
            () => undefined,
            (error: unknown) => (error as ApplicationFailure).type,
          );
          if (again !== undefined) {
            // Vault gives this answer once.
            assert.deepEqual(
              [
                again,
                parts.vault.inits,
                await stat(parts.clients.vault.keys.path).then(
                  () => true,
                  () => false,
                ),
              ],
              ['VaultKeysMissing', 1, false],
              where,
            );
            return;
          }
          assert.equal(parts.vault.inits, 1, where);
          assert.equal(await parts.clients.vault.root.isKept(), false, where);
          assert.ok(parts.vault.roots.size <= Math.max(0, parts.vault.generated - 1), where);
          for (const [path, values] of Object.entries(written)) assert.deepEqual(valuesOf(parts)[path], values, where);
          assert.equal(
            (await observeVault(parts.clients, parts.clients.environment, signal)).vaultConfigured,
            true,
            where,
          );
        });
      }
    }
  });

  test('what is missing is named, and every kind of drift is seen', async () => {
    await withFakeClients(async (parts) => {
      const activities = activitiesOf(parts);
      const reason = async (): Promise<string> =>
        (await observeVault(parts.clients, parts.clients.environment, signal)).vaultReason;
      assert.match(await reason(), /not initialised/);
      await initialise(activities, parts.run);
      parts.vault.seal();
      assert.equal((await observeVault(parts.clients, parts.clients.environment, signal)).vault, 'sealed');
      await activities.openVault(parts.run);

      const role = serviceRoles(parts.clients.catalog)[0]!.name;
      parts.vault.roles.delete(role);
      assert.equal(await reason(), `role ${role} is missing`);
      await initialise(activities, parts.run);

      parts.vault.kv.get('stores/cache')!.versions[0]!.deletion_time = '2026-01-01T00:00:00Z';
      assert.match(await reason(), /^stores\/cache is missing/);
      await initialise(activities, parts.run);
      assert.equal(await reason(), '');

      const path = '/api/v1/namespaces/stores/secrets/vault-stores-cache';
      parts.cluster.objects.get(path)!.metadata['managedFields'] = [
        { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:data': { 'f:redis-password': {} } } },
      ];
      assert.match(await reason(), /edited by hand/);
      await initialise(activities, parts.run);
      parts.cluster.objects.delete(path);
      assert.match(await reason(), /vault-stores-cache is missing/);
    });
  });

  test('a Vault that was made anew gets its values back from the Secrets; what no Secret holds is not made up', async () => {
    await withFakeClients(async (parts) => {
      const activities = activitiesOf(parts);
      await initialise(activities, parts.run);
      const before = valuesOf(parts) as Record<string, Record<string, string>>;
      Object.assign(parts.vault, { initialized: false, sealed: true });
      for (const part of [
        parts.vault.kv,
        parts.vault.roles,
        parts.vault.policies,
        parts.vault.mounts,
        parts.vault.auths,
        parts.vault.roots,
      ])
        part.clear();
      parts.clients.vault.forgetLogin();
      await activities.openVault(parts.run);
      await activities.configureVault(parts.run);
      const failure = await activities.seedVault(parts.run).then(
        () => undefined,
        (error: unknown) => error as ApplicationFailure,
      );
      assert.equal(failure?.type, 'SecretLost');
      const lost = [...failure.message.matchAll(/secrets set (\S+) (\S+) --env sandbox/g)].map(
        ([, path, key]) => [path!, key!] as const,
      );
      assert.ok(
        lost.some(([path, key]) => path === 'apps/api' && key === 'api-token'),
        failure.message,
      );
      assert.equal(parts.vault.kv.has('apps/api'), false);
      for (const [path, key] of lost) await setSecret(parts.clients, path, key, before[path]![key]!);
      await activities.seedVault(parts.run);
      for (const path of ['stores/cache', 'apps/api', 'stores/sessions'])
        assert.deepEqual(valuesOf(parts)[path], before[path], path);
      assert.ok((await activities.syncSecrets(parts.run)).written.length > 0);
    });
  });

  test('values that were deleted come back as they were, wherever they still stand', async () => {
    await withFakeClients(async (parts) => {
      const activities = activitiesOf(parts);
      await initialise(activities, parts.run);
      const before = valuesOf(parts) as Record<string, Record<string, string>>;
      const path = 'apps/tokens';
      const versions = parts.vault.kv.get(path)!.versions;

      versions[0]!.deletion_time = '2026-01-01T00:00:00Z';
      assert.deepEqual((await activities.seedVault(parts.run)).restored, [path]);
      assert.deepEqual([versions.length, valuesOf(parts)[path]], [1, before[path]]);

      const { 'jwt-secret': _gone, ...rest } = before[path]!;
      versions.push({ data: rest, created_time: '2026-01-02T00:00:00Z', deletion_time: '' });
      assert.deepEqual((await activities.seedVault(parts.run)).restored, [path]);
      assert.deepEqual(valuesOf(parts)[path], before[path]);

      // All versions are destroyed for good: only a person can know the value.
      for (const version of versions) version.destroyed = true;
      await assert.rejects(
        activities.seedVault(parts.run),
        (error: ApplicationFailure) =>
          error.type === 'SecretLost' && error.message.includes('secrets set apps/tokens jwt-secret'),
      );

      // This one is in a Secret, too.
      parts.vault.kv.delete('stores/cache');
      await activities.seedVault(parts.run).catch(() => undefined);
      assert.deepEqual(valuesOf(parts)['stores/cache'], before['stores/cache']);
    });
  });

  test('a value that was edited in a Secret is not taken for the one that Vault gave', async () => {
    await withFakeClients(async (parts) => {
      const activities = activitiesOf(parts);
      await initialise(activities, parts.run);
      for (const [path, object] of parts.cluster.objects) {
        if (path.endsWith('/vault-stores-cache'))
          object.metadata['managedFields'] = [
            { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:data': { 'f:redis-password': {} } } },
          ];
      }
      parts.vault.kv.delete('stores/cache');
      await assert.rejects(activities.seedVault(parts.run), { type: 'SecretLost' });
      assert.equal(parts.vault.kv.has('stores/cache'), false);
    });
  });

  test('no failure, heartbeat or applied object but the Secrets themselves holds a value', async () => {
    await withFakeClients(async (parts) => {
      const scope = testScope();
      const activities = createActivities(parts.clients, () => scope);
      await initialise(activities, parts.run);
      const value = (await getSecret(parts.clients, 'stores/cache', 'redis-password'))!;
      parts.vault.request = () =>
        Promise.reject(new Error(`something said ${value} and ${Buffer.from(value).toString('base64')}`));
      const failure = await activities.seedVault(parts.run).then(
        () => undefined,
        (error: unknown) => error as ApplicationFailure,
      );
      assert.equal(failure?.message, 'something said [redacted] and [redacted]');
      assert.equal((failure?.stack ?? '').includes(value), false);
      assert.equal(
        JSON.stringify([
          scope.beats,
          parts.cluster.applied.filter(({ object }) => object['kind'] !== 'Secret'),
        ]).includes(value),
        false,
      );
    });
  });
});

describe('supplied values', () => {
  const required = async (parts: FakeParts): Promise<void> => {
    Object.assign(parts.clients.environment, { suppliedSecrets: 'required' });
    const { cp, mkdir, writeFile } = await import('node:fs/promises');
    const environments = join(parts.folder, 'environments');
    await mkdir(environments);
    await cp(parts.clients.config.environmentsDir, environments, { recursive: true });
    await writeFile(
      join(environments, 'sandbox.yaml'),
      (await readFile(join(environments, 'sandbox.yaml'), 'utf8')).replace(
        'suppliedSecrets: placeholder',
        'suppliedSecrets: required',
      ),
    );
    Object.assign(parts.clients, { config: { ...parts.clients.config, environmentsDir: environments } });
  };

  test('missing ones are listed with the lines that set them; all others are written', async () => {
    await withFakeClients(async (parts) => {
      await required(parts);
      const activities = activitiesOf(parts);
      assert.deepEqual(
        (await missingSecrets(parts.clients)).map(({ key }) => key),
        ['mail-api-key', 'payment-token'],
      );
      await activities.openVault(parts.run);
      await activities.configureVault(parts.run);
      await assert.rejects(activities.seedVault(parts.run), (error: unknown) => {
        const { type, message } = error as ApplicationFailure;
        assert.equal(type, 'SuppliedSecretMissing');
        assert.match(message, /secrets set apps\/api mail-api-key --env sandbox.*\n.*payment-token/);
        return true;
      });
      assert.ok(parts.vault.kv.has('stores/cache'));
      await setSecret(parts.clients, 'apps/api', 'mail-api-key', 'sk-real');
      await setSecret(parts.clients, 'apps/api', 'payment-token', 'st-real');
      assert.deepEqual(await missingSecrets(parts.clients), []);
      await activities.seedVault(parts.run);
      assert.equal(await getSecret(parts.clients, 'apps/api', 'mail-api-key'), 'sk-real');
    });
  });

  test('set before Vault exists they wait in a 0600 file and move into Vault', async () => {
    await withFakeClients(async (parts) => {
      await required(parts);
      const file = join(parts.folder, 'supplied-secrets.json');
      assert.deepEqual(await setSecret(parts.clients, 'apps/api', 'mail-api-key', 'sk-early'), {
        stored: 'waiting',
      });
      await setSecret(parts.clients, 'apps/api', 'payment-token', 'st-early');
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.deepEqual(await missingSecrets(parts.clients), []);
      await initialise(activitiesOf(parts), parts.run);
      assert.equal(await getSecret(parts.clients, 'apps/api', 'mail-api-key'), 'sk-early');
      await assert.rejects(stat(file), { code: 'ENOENT' });
    });
  });

  test('placeholders stand in where the environment allows it, and give way to real values', async () => {
    await withFakeClients(async (parts) => {
      await initialise(activitiesOf(parts), parts.run);
      assert.match((await getSecret(parts.clients, 'apps/api', 'mail-api-key'))!, /^placeholder-/);
      await required(parts);
      assert.equal((await missingSecrets(parts.clients)).length, 2);
      await setSecret(parts.clients, 'apps/api', 'mail-api-key', 'sk-real');
      assert.equal((await missingSecrets(parts.clients)).length, 1);
    });
  });

  test('only supplied keys are set, only known ones are read', async () => {
    await withFakeClients(async ({ clients }) => {
      await assert.rejects(setSecret(clients, 'stores/cache', 'redis-password', 'x'), {
        name: 'ConfigurationError',
        message: /generated and never overwritten; only these/,
      });
      await assert.rejects(setSecret(clients, 'apps/api', 'mail-api-key', ''), /empty/);
      await assert.rejects(getSecret(clients, 'no/such', 'x'), /no secret path no\/such/);
      await assert.rejects(getSecret(clients, 'apps/api', 'x'), /has no key x\. It has: api-token/);
    });
  });
});
