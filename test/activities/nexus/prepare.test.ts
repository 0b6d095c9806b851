/**
 * Problems of a deployment that was started without the CLI's checks: found before the lock is taken, with nothing
 * changed.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { acquireTools } from '../../../bootstrap/tools/index.ts';
import { unguardedActivities } from '../../../src/activities/index.ts';
import { readConfig } from '../../../src/config.ts';
import type { PrepareInput } from '../../../src/contract/nexus/messages.ts';
import { FAILURES } from '../../../src/contract/failures.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { writeEnvironment } from '../../support/fakes/environment.ts';
import { testScope } from '../../support/scope.ts';
import { sampleVersion } from '../../support/versions.ts';

let helm = '';
before(async () => {
  const { cacheDir, childEnv } = readConfig();
  helm = (await acquireTools({ names: ['helm'], cacheDir, env: childEnv }).get('helm')).path;
});

/** With the file of the environment as `more` says, and Helm itself. */
async function prepared(
  { clients, folder, run }: FakeParts,
  more: Record<string, unknown> = {},
  input: Partial<PrepareInput> = {},
): Promise<unknown> {
  await writeEnvironment(clients.config, folder, more);
  Object.assign(clients.environment, more);
  const { prepareDeployment } = unguardedActivities(
    {
      ...clients,
      connections: { ...clients.connections, helm },
      config: { ...clients.config, environmentsDir: folder, stateRoot: folder },
    },
    () => testScope(),
  );
  return prepareDeployment({ run, ...input });
}

const refusal = (type: string, message: RegExp) => (error: unknown) => {
  const { type: found, message: words } = error as { type?: string; message: string };
  assert.deepEqual(found, type, words);
  assert.match(words, message);
  return true;
};

describe('before a deployment that another team has asked for', () => {
  test('charts render, nobody’s secret is missing: it may begin', async () => {
    await withFakeClients(async (parts) => {
      const { cluster, run } = parts;
      const input = { run: { ...run, imageTags: { cache: '7.5' } } };
      assert.deepEqual(await prepared(parts, {}, input), { imageTags: { cache: '7.5' }, notes: [] });
      assert.deepEqual([cluster.applied, cluster.removed], [[], []]);
    });
  });

  test('a right that the workers lack is named', async () => {
    await withFakeClients(async (parts) => {
      parts.clients.kubernetes.mayI = ({ resource, verb }) =>
        Promise.resolve(resource !== 'secrets' || verb !== 'create');
      await assert.rejects(prepared(parts), refusal(FAILURES.forbidden, /may not do .*create secrets in stores/));
    });
  });

  test('values that do not render are named with what Helm says', async () => {
    await withFakeClients(async (parts) => {
      const values = { cache: { service: { ports: 'none' } } };
      await assert.rejects(
        prepared(parts, { values }),
        refusal(FAILURES.chartInvalid, /Charts cannot be deployed:\ncache/),
      );
    });
  });

  test('values that third parties issue are named by path and key', async () => {
    await withFakeClients(async (parts) => {
      const more = { suppliedSecrets: 'required' };
      await assert.rejects(
        prepared(parts, more),
        refusal(FAILURES.suppliedSecretMissing, /mail-api-key.*payment-token/),
      );
    });
  });

  test('a version of another platform is not promoted', async () => {
    await withFakeClients(async (parts) => {
      const version = sampleVersion(3, { environment: 'other' });
      const { writeFile } = await import('node:fs/promises');
      await writeFile(
        `${parts.folder}/other.yaml`,
        'extends: base2\ndescription: Another\nplatform: mini\ndomain: mini.ananta.localhost\n',
      );
      const promote = { version, pastNoReturn: false };
      await assert.rejects(prepared(parts, {}, { promote }), refusal(FAILURES.invalidInput, /only the same platform/));
    });
  });
});

test('a version that is not kept, and the newest of none, are refused', async () => {
  await withFakeClients(async ({ clients, run }) => {
    const { readVersion } = unguardedActivities(clients, () => testScope());
    await assert.rejects(
      readVersion({ run }),
      refusal(FAILURES.versionUnknown, /no platform version of "sandbox" yet/),
    );
    await assert.rejects(
      readVersion({ run, version: 4 }),
      refusal(FAILURES.versionUnknown, /no version 4 of "sandbox"/),
    );
  });
});
