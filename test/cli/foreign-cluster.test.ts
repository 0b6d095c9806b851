/**
 * A kubeconfig that means the cluster of another environment: refused with its owner's name, whatever was asked for.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { OWNER_PATH, ownerRecord } from '../support/owner.ts';
import { exits, externalEnvironment, kubeconfigFor, startFakeApi, type Workspace, workspace } from './run-cli.ts';

const UID = '11111111-2222-3333-4444-555555555555';

describe('a cluster of another environment', () => {
  let at: Workspace;
  let api: Awaited<ReturnType<typeof startFakeApi>>;
  before(async () => {
    at = await workspace(readConfig().cacheDir);
    const [, record] = ownerRecord({ environment: 'prod', boundBy: 'ops@ci', cluster: { uid: UID } });
    api = await startFakeApi(UID, undefined, { [OWNER_PATH]: record });
    const kubeconfig = join(at.folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigFor(api.address));
    await at.environment('mine', externalEnvironment({ kubeconfig }));
  });
  after(async () => {
    api.close();
    await at.remove();
  });

  for (const [command, ...args] of [
    ['plan'],
    ['deploy'],
    ['rollback'],
    ['destroy', '--confirm', 'mine'],
    ['drift'],
    ['drift', 'accept', 'x', '--reason', 'y'],
    ['secrets', 'list'],
    ['verify'],
  ] as const) {
    test([command, ...args].join(' '), async () => {
      const ran = await at.run([command, ...args, '--env', 'mine']);
      exits(ran, 3);
      assert.match(ran.stderr, /belongs to environment "prod" \(bound by ops@ci at 2026-01-01T00:00:00\.000Z\)/);
      assert.match(ran.stderr, /rebind --env mine --take-over/);
      assert.deepEqual(api.written, []);
    });
  }
});
