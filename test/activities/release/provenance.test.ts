/** Who wrote a revision, with records kept as Helm keeps them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import { readRecorded } from '../../../src/effects/drift/recorded.ts';
import { createActivities, unguardedActivities } from '../../../src/activities/index.ts';
import { planFor } from '../../../src/effects/plan/deploy.ts';
import { allJudgedRevisions } from '../../../src/effects/release/provenance.ts';
import { proveRevision, proveRevisions } from '../../../src/effects/release/prove.ts';
import { forgetProofs } from '../../../src/effects/vault/proofs.ts';
import { rollbackPlan } from '../../../src/effects/plan/rollback.ts';
import { readOurRevisions } from '../../../src/effects/versions/contents.ts';
import type { ApplyReleaseInput, OutputOf } from '../../../src/contract/activities.ts';
import { allDigests } from '../../../src/plan/inputs/release-inputs.ts';
import type { Provenance } from '../../../src/plan/observed.ts';
import { isSameProcessAlive, processIdentity } from '../../../src/process/identity.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { type HelmStore, helmStore, withStore } from '../../support/fakes/helm-store.ts';
import { testScope } from '../../support/scope.ts';

const signal = new AbortController().signal;
const KEY = 'stores/cache';

async function openVault({ clients, run }: FakeParts): Promise<void> {
  const activities = createActivities(clients, () => testScope());
  await activities.openVault(run);
  await activities.configureVault(run);
  await activities.seedVault(run);
}

/** Revisions as a process that starts now reads them. */
async function provenances({ clients }: FakeParts): Promise<(Provenance | undefined)[]> {
  forgetProofs(clients);
  return ((await allJudgedRevisions(clients)).revisions.get(KEY) ?? []).map(({ provenance }) => provenance);
}

async function digestOf({ clients }: FakeParts): Promise<string> {
  const { catalog, environment, config } = clients;
  return (await allDigests(catalog, environment, {}, config)).get('cache') ?? '';
}

async function apply(
  parts: FakeParts,
  runId = 'run-1',
  step: Partial<ApplyReleaseInput['step']> = {},
): OutputOf<'applyRelease'> {
  const { clients, run } = parts;
  return unguardedActivities(clients, () => testScope()).applyRelease({
    run: { ...run, runId },
    service: 'cache',
    priority: 1,
    step: {
      kind: 'release',
      name: 'cache',
      namespace: 'stores',
      job: false,
      action: 'install',
      reason: '',
      digest: await digestOf(parts),
      ...step,
    },
  });
}

/** A platform with Vault open, and one release of it applied. */
async function deployed(work: (parts: FakeParts, store: HelmStore, asked: string[]) => Promise<void>): Promise<void> {
  await withFakeClients(async (parts) => {
    await openVault(parts);
    const store = helmStore(parts);
    const asked = withStore(parts, store);
    await apply(parts);
    await work(parts, store, asked);
  });
}

describe('a revision of a deployment of ours', () => {
  test('is proved as soon as Helm has recorded it, with one patch, and stays so when it is superseded', () =>
    deployed(async (parts, store) => {
      const { kubernetes } = parts.clients;
      const label = kubernetes.label.bind(kubernetes);
      const patched: string[] = [];
      kubernetes.label = (path, labels) => {
        patched.push(path);
        return label(path, labels);
      };
      store.secret(1).metadata.labels!['ananta-digest'] = 'another';
      await apply(parts, 'run-2');
      assert.deepEqual(patched, [store.path(2)]);
      store.secret(1).metadata.labels!['ananta-digest'] = await digestOf(parts);
      assert.deepEqual(await provenances(parts), ['ours', 'ours']);
    }));

  test('applied before Vault is open, is proved when the key is there', async () => {
    await withFakeClients(async (parts) => {
      const store = helmStore(parts);
      withStore(parts, store);
      await apply(parts);
      assert.deepEqual(await provenances(parts), ['unproven']);
      await openVault(parts);
      assert.deepEqual(await provenances(parts), ['ours']);
    });
  });

  test('cannot be judged while Vault is sealed: unknown, and left as it is', () =>
    deployed(async (parts, _store, asked) => {
      parts.vault.seal();
      assert.deepEqual(await provenances(parts), ['unknown']);
      await apply(parts, 'run-2', { action: 'upgrade' });
      assert.deepEqual(asked, ['upgrade']);
      const plan = await planFor(parts.clients, parts.clients.environment, {}, signal);
      assert.match(
        plan.notes?.join() ?? '',
        /cannot be proved now \(Vault 1\.0\.0 is sealed\): 1 releases count by their labels/,
      );
    }));

  test('is proved anew where Vault has lost the key', () =>
    deployed(async (parts) => {
      parts.vault.kv.delete('ananta-deploy/receipt');
      await createActivities(parts.clients, () => testScope()).seedVault(parts.run);
      assert.deepEqual(await provenances(parts), ['ours']);
    }));

  for (const [what, back] of [
    ['upgrade', false],
    ['rollback', true],
  ] as const)
    test(`a Helm whose worker was killed finishes its ${what}: adopted with its proof, and nothing is applied again`, () =>
      deployed(async (parts, store, asked) => {
        const { kubernetes, helm } = parts.clients;
        const label = kubernetes.label.bind(kubernetes);
        if (!back) store.secret(1).metadata.labels!['ananta-digest'] = 'another';
        const again = (): ReturnType<typeof apply> =>
          apply(parts, 'run-2', back ? { action: 'repair', toRevision: 1 } : {});
        kubernetes.label = () => Promise.reject(new Error('killed'));
        await assert.rejects(again(), /killed/);
        kubernetes.label = label;
        const before = [...asked];
        const { labels } = store.secret(2).metadata;
        labels!['status'] = `pending-${what}`;
        const left = spawn('sleep', ['30'], { stdio: 'ignore' });
        const identity = (await processIdentity(left.pid!))!;
        let ends: NodeJS.Timeout | undefined;
        helm.alive = async () => {
          // The Helm process ends once a test has seen it.
          ends ??= setTimeout(() => {
            labels!['status'] = 'deployed';
            left.kill('SIGKILL');
          }, 200);
          return (await isSameProcessAlive(identity))
            ? {
                helm: identity,
                worker: { pid: 1, startToken: 'gone' },
                runId: 'run-2',
                startedAt: 'then',
                endsBy: new Date(Date.now() + 60_000).toISOString(),
              }
            : undefined;
        };
        const { changed, revision, recovered } = await again();
        assert.deepEqual([changed, revision, asked], [true, 2, before]);
        assert.match(recovered ?? '', /outlived its worker \(process \d+\) has finished/);
        assert.equal((await provenances(parts)).at(-1), 'ours');
      }));

  for (const [what, back] of [
    ['upgrade', false],
    ['rollback', true],
  ] as const)
    test(`interrupted after Helm's ${what} and before the proof: the next attempt knows its own`, () =>
      deployed(async (parts, store, asked) => {
        const { kubernetes } = parts.clients;
        const label = kubernetes.label.bind(kubernetes);
        if (!back) store.secret(1).metadata.labels!['ananta-digest'] = 'another';
        const again = (): ReturnType<typeof apply> =>
          apply(parts, 'run-2', back ? { action: 'repair', toRevision: 1 } : {});
        kubernetes.label = () => Promise.reject(new Error('killed'));
        await assert.rejects(again(), /killed/);
        assert.notEqual((await provenances(parts)).at(-1), 'foreign');
        kubernetes.label = label;
        const { changed, revision } = await again();
        assert.deepEqual([changed, revision], [true, 2]);
        assert.equal(asked.length, 2, 'Helm was not started again');
        assert.equal((await provenances(parts)).at(-1), 'ours');
        assert.equal(store.secret(2).metadata.labels?.['ananta-run'], 'run-2');
      }));
});

describe('a revision that somebody else has made of a release of ours', () => {
  const hand: [string, (store: HelmStore) => void][] = [
    ['helm upgrade --reuse-values --set', (store) => store.upgrade({ config: { replicaCount: 3 } })],
    ['helm rollback', (store) => store.rollback(1)],
    ['kubectl edit of the record', (store) => store.edit(1, (stored) => (stored.config = { replicaCount: 3 }))],
    ['kubectl label of the record', (store) => (store.secret(1).metadata.labels!['ananta-digest'] = 'another')],
    [
      'its record restored from a backup',
      (store) => {
        store.edit(1, () => undefined);
        store.secret(1).metadata.uid = 'another';
      },
    ],
  ];
  for (const [what, doIt] of hand)
    test(`${what}: is foreign, with and without the key`, () =>
      deployed(async (parts, store) => {
        doIt(store);
        assert.equal((await provenances(parts)).at(-1), 'foreign');
        parts.vault.seal();
        assert.ok(['foreign', 'unknown'].includes((await provenances(parts)).at(-1) ?? ''));
      }));

  test('is put back by a deployment, which says whose it was', () =>
    deployed(async (parts, store, asked) => {
      store.upgrade({ config: { replicaCount: 3 } });
      const { services } = await planFor(parts.clients, parts.clients.environment, {}, signal);
      const planned = services.find(({ name }) => name === 'cache');
      assert.equal(planned?.action, 'upgrade');
      assert.match(planned?.reason ?? '', /^revision 2 is not of a deployment of ours \(written by Helm, 20\d\d-/);
      await apply(parts, 'run-2', { action: 'upgrade' });
      assert.deepEqual(asked, ['upgrade', 'upgrade']);
      assert.deepEqual(store.stored(3).config, { from: 'checkout' });
      assert.deepEqual(await provenances(parts), ['ours', 'foreign', 'ours']);
    }));

  test('is put back by a drift repair, from the revision that is ours', () =>
    deployed(async (parts, store, asked) => {
      store.upgrade({ config: { replicaCount: 3 } });
      const finding = {
        key: `helm/${KEY}`,
        kind: 'changed',
        area: 'helm',
        object: `Release ${KEY}`,
        service: 'cache',
        release: 'cache',
        valueDigest: '',
        repair: 'release',
      } as const;
      const plan = await unguardedActivities(parts.clients, () => testScope()).planRepair({
        run: parts.run,
        findings: [finding],
      });
      const step = plan.services.flatMap(({ steps }) => steps).find(({ name }) => name === 'cache');
      assert.deepEqual([step?.action, step?.toRevision], ['repair', 1]);
      await apply(parts, 'run-2', step);
      assert.deepEqual([asked.at(-1), store.stored(3).config], ['rollback to 1', { from: 'checkout' }]);
      assert.deepEqual(await provenances(parts), ['ours', 'foreign', 'ours']);
    }));

  /** As when somebody replaces the record in Helm's name. */
  const forge = (store: HelmStore, revision: number): void => {
    store.edit(revision, (stored) => (stored.config = { replicaCount: 3 }));
    store.secret(revision).metadata['managedFields'] = [
      { manager: 'Helm', operation: 'Update', fieldsV1: { 'f:data': {} } },
    ];
  };

  test('under a forged name: it is not gone back to, by no rollback, undo or repair; without the key nobody can tell', () =>
    deployed(async (parts, store, asked) => {
      store.secret(1).metadata.labels!['ananta-digest'] = 'another';
      await apply(parts, 'run-2');
      store.secret(1).metadata.labels!['ananta-digest'] = await digestOf(parts);
      forge(store, 1);
      const back = (): Promise<unknown> => apply(parts, 'run-3', { action: 'rollback', toRevision: 1 });
      await assert.rejects(back(), {
        type: 'PlanOutdated',
        message: /record of revision 1 of stores\/cache no longer holds .* edited it since.*Nothing was changed/,
      });
      assert.equal(asked.length, 2, 'Helm was not started');
      parts.vault.seal();
      forgetProofs(parts.clients);
      await back();
      assert.equal(asked.at(-1), 'rollback to 1');
    }));

  for (const [what, edited, expected] of [
    ['an older revision of the same content is gone back to', [3], 1],
    ['where there is none, it is refused by the plan', [1, 3], undefined],
  ] as const)
    test(`a rollback is planned to nothing that somebody has edited: ${what}`, () =>
      withFakeClients(async (parts) => {
        await openVault(parts);
        const store = helmStore(parts);
        for (const [index, digest] of ['d1', 'd2', 'd1', 'd2'].entries()) {
          const labels = { 'ananta-environment': 'sandbox', 'ananta-service': 'cache', 'ananta-proof': 'null' };
          const run = { ...parts.run, runId: `run-${index}` };
          const revision = store.upgrade({ labels: { ...labels, 'ananta-run': run.runId, 'ananta-digest': digest } });
          await proveRevision(parts.clients, store.secret(revision));
          const services = [{ name: 'cache', phase: 1, state: 'healthy', seconds: 1, changed: true }] as const;
          const of = { requestedBy: 'a@b', planDigest: `p${index}`, seconds: 1, services: [...services] };
          // What follows were runs that did not come to their end: nothing is removed of the history.
          const { recordVersion } = unguardedActivities(parts.clients, () => testScope());
          if (index === 0) await recordVersion({ run, operation: 'deploy', ...of });
        }
        assert.deepEqual(store.revisions(), [1, 2, 3, 4]);
        const to = async (): Promise<number | undefined> =>
          (await rollbackPlan(parts.clients, parts.clients.environment, { toVersion: 1, pastNoReturn: false })).services
            .flatMap(({ steps }) => steps)
            .find(({ name }) => name === 'cache')?.toRevision;
        assert.equal(await to(), 3);
        for (const revision of edited) forge(store, revision);
        if (expected === undefined)
          await assert.rejects(to(), { message: /stores\/cache \(digest d1, whose record somebody has edited\)/ });
        else assert.equal(await to(), expected);
      }));

  test('under a forged name: the content of the record is not what was proved', () =>
    deployed(async (parts, store) => {
      forge(store, 1);
      assert.deepEqual(await provenances(parts), ['ours'], 'metadata alone cannot tell');
      assert.equal((await readRecorded(parts.clients, signal)).revisions.get(KEY)?.at(-1)?.provenance, 'foreign');
    }));

  test('never has the revision of ours removed, and is not removed itself', () =>
    deployed(async (parts, store) => {
      const record = (runId: string): Promise<unknown> =>
        unguardedActivities(parts.clients, () => testScope()).recordVersion({
          run: { ...parts.run, runId },
          operation: 'deploy',
          requestedBy: 'a@b',
          planDigest: 'p',
          seconds: 1,
          services: [{ name: 'cache', phase: 1, state: 'healthy', seconds: 1, changed: true }],
        });
      await record('run-1');
      store.upgrade({ config: { replicaCount: 3 } });
      store.upgrade({ config: { replicaCount: 4 } });
      await record('run-2');
      assert.deepEqual(store.revisions(), [1, 2, 3]);
      const ours = (await readOurRevisions(parts.clients)).get(KEY);
      assert.deepEqual(
        ours?.map(({ digest, foreign }) => [digest !== undefined, foreign === true]),
        [
          [true, false],
          [false, true],
          [false, true],
        ],
      );
    }));
});

describe('what an earlier version of the program has applied', () => {
  const legacy = (store: HelmStore, run: string, digest: string): number =>
    store.upgrade({
      labels: {
        'ananta-environment': 'sandbox',
        'ananta-service': 'cache',
        'ananta-run': run,
        'ananta-digest': digest,
      },
    });

  test('is adopted once, by its labels; a copy is not', () =>
    withFakeClients(async (parts) => {
      const store = helmStore(parts);
      legacy(store, 'r1', 'd1');
      legacy(store, 'r2', 'd2');
      store.upgrade({ config: { replicaCount: 3 } });
      assert.deepEqual(await provenances(parts), ['unproven', 'unproven', 'foreign']);
      await openVault(parts);
      assert.deepEqual(await provenances(parts), ['ours', 'ours', 'foreign']);
    }));

  test('labels without a proof count no more after that', () =>
    deployed(async (parts, store) => {
      store.upgrade({ labels: { 'ananta-run': 'r9', 'ananta-digest': 'd9', 'ananta-proof': 'null' } });
      assert.deepEqual(await provenances(parts), ['ours', 'foreign']);
      assert.equal(await proveRevisions(parts.clients), 0);
    }));
});

describe('a Job that has completed', () => {
  const JOBS = '/apis/batch/v1/namespaces/stores/jobs';
  const job = ({ cluster }: FakeParts, name: string, type: string): void => {
    cluster.objects.set(`${JOBS}/${name}`, {
      metadata: {
        name,
        namespace: 'stores',
        uid: name,
        resourceVersion: '1',
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'cache' },
      },
      status: { conditions: [{ type, status: 'True' }] },
    });
  };
  for (const [what, rerun, removed] of [
    ['stays when its release is applied again', undefined, []],
    ['is made anew where somebody has asked for it', true, [`${JOBS}/done`]],
  ] as const)
    test(what, () =>
      deployed(async (parts) => {
        job(parts, 'done', 'Complete');
        job(parts, 'runs', 'Suspended');
        await apply(parts, 'run-2', { action: 'retry', job: true, ...(rerun ? { rerun } : {}) });
        assert.deepEqual(parts.cluster.removed, removed);
      }),
    );
});
