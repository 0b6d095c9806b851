/**
 * A Vault that others run: used after its operators have set it up with what `vault prepare` prints, never opened or
 * changed as root.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { ApplicationFailure } from '@temporalio/common';
import { createActivities } from '../../src/activities/index.ts';
import { verifyAll } from '../../src/effects/verify.ts';
import { prepareLines } from '../../src/cli/vault/prepare.ts';
import { type Clients, createClients } from '../../src/clients/index.ts';
import { paths } from '../../src/clients/kubernetes/index.ts';
import { createRedactor } from '../../src/clients/redact.ts';
import { createDirectTunnel, createVaultClient, type VaultClient } from '../../src/clients/vault/index.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { RunRef } from '../../src/contract/operations/deploy.ts';
import type { Runtime } from '../../src/environment/connections.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { type Embedded, openEmbedded } from '../support/embedded.ts';
import { testScope } from '../support/scope.ts';

const runProgram = promisify(execFile);
let embedded: Embedded;
let runtime: Runtime;
let address: string;
/** The connection of Vault's operators. */
let operators: VaultClient;
let clients: Clients;
let activities: Activities;
let run: RunRef;

before(async () => {
  embedded = await openEmbedded({ name: 'outside', environment: { simulation: { factor: 0.05 } } });
  runtime = embedded.runtime();
  address = runtime.vault!.address;
  operators = createVaultClient({
    connection: { kubernetesHost: '', keysFile: join(embedded.config.stateRoot, 'operators.json') },
    redactor: createRedactor(),
    tunnel: createDirectTunnel({ address }),
    kubernetes: { tokenFor: () => Promise.reject(new Error('operators have tokens of their own')) },
  });
  await writeFile(
    join(embedded.config.environmentsDir, 'outside.yaml'),
    JSON.stringify({
      description: 'Made by a test',
      extends: 'sandbox',
      simulation: { factor: 0.05 },
      vault: { external: { address }, kubernetesHost: runtime.cluster!.server },
    }),
  );
  const environment = await loadEnvironment('outside', embedded.config);
  clients = await createClients(environment, await embedded.connections(), embedded.config, {
    isRunAlive: () => Promise.resolve(false),
  });
  activities = createActivities(clients, () => testScope());
  const clusterUid = await clients.kubernetes.clusterUid();
  run = { environment: 'outside', imageTags: {}, clusterUid, workflowId: 'deploy/outside/x', runId: 'run-1' };
});
after(async () => {
  operators?.close();
  await clients?.close();
  await embedded?.close();
});

const failureOf =
  (type: string, pattern: RegExp) =>
  (error: unknown): boolean => {
    assert.equal((error as ApplicationFailure).type, type, (error as Error).message);
    assert.match((error as Error).message, pattern);
    return true;
  };

async function plannedVault() {
  const plan = await activities.makePlan({ run });
  return plan.services.find(({ name }) => name === 'vault')!;
}

describe('a Vault that others run', () => {
  test('is not initialised by us', async () => {
    await activities.ensureNamespaces(run);
    const service = await plannedVault();
    await activities.applyRelease({ run, service: 'vault', step: service.steps[0]!, priority: 1 });
    await activities.awaitHealthy({ run, service: 'vault', step: service.steps[0]!, timeoutSeconds: 30 });
    await assert.rejects(
      activities.openVault(run),
      failureOf('VaultKeysMissing', /is not initialised\. Others run it \(vault\.external\)/),
    );
    const { items } = await clients.kubernetes.list(paths.statefulSets('vault-system'), {});
    assert.deepEqual(items, [], 'only identities are installed');
  });

  test('is not unsealed by us either: it is waited for', async () => {
    await operators.open({ shares: 1, threshold: 1, cluster: 'theirs' });
    await operators.root.run((session) => session.write('sys/seal', {}));
    await assert.rejects(activities.openVault(run), failureOf('VaultSealed', /waits for those who run it/));
    await operators.open({ shares: 1, threshold: 1, cluster: 'theirs' });
    assert.deepEqual(await activities.openVault(run), { initialized: false, unsealed: false });
  });

  test('what it lacks is told with the way to get it; its operators run that, and the deployment goes on', async () => {
    await assert.rejects(
      activities.configureVault(run),
      failureOf('VaultKeysMissing', /does not let the deployer in.*npm run ananta -- vault prepare --env outside/),
    );
    const plugin = runtime.vault!.kubernetesAuthPlugin;
    if (plugin)
      await operators.root.run((session) =>
        session.write(`sys/plugins/catalog/auth/${plugin.name}`, { sha256: plugin.sha256, command: plugin.command }),
      );
    const { rootToken } = JSON.parse(await readFile(join(embedded.config.stateRoot, 'operators.json'), 'utf8')) as {
      rootToken: string;
    };
    const script = join(embedded.config.stateRoot, 'prepare.sh');
    await writeFile(script, prepareLines(clients.environment, address, clients.catalog).join('\n'));
    const tools = ['vault', 'kubectl'].map((name) => dirname(runtime.tools[name]!));
    await runProgram('sh', [script], {
      env: {
        PATH: [...tools, '/usr/bin', '/bin'].join(':'),
        HOME: embedded.config.stateRoot,
        KUBECONFIG: runtime.cluster!.kubeconfig,
        VAULT_TOKEN: rootToken,
      },
    });

    const { changed } = await activities.configureVault(run);
    assert.ok(changed.length > 0);
    assert.equal((await activities.seedVault(run)).written.length, clients.catalog.secretPaths.length);
    assert.ok((await activities.syncSecrets(run)).written.length > 20);
    assert.deepEqual((await activities.configureVault(run)).changed, []);
  });

  test('then nothing is left to do, and it is found healthy', async () => {
    const service = await plannedVault();
    assert.deepEqual(
      service.steps.map(({ name, action }) => `${name} ${action}`),
      ['vault unchanged', 'vault-init unchanged'],
      service.reason,
    );
    const row = (await verifyAll(clients)).find((found) => found.service === 'vault');
    assert.equal(row?.healthy, true, row?.reason);
  });
});
