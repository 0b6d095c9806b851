/**
 * A real API server that holds nothing but what the identities of docs/look-up/rbac.md are granted: each line of its
 * table is asked of the authorizer, and what would make an identity stronger is tried. Beside it: that there is room
 * for as many Services as a large platform has; and what the same API server says of every object of the charts.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { acquireTools } from '../../bootstrap/tools/index.ts';
import { applyObjects } from '../../src/cli/rbac/run.ts';
import { accessBasis } from '../../src/cli/rbac/rendered.ts';
import {
  type AccessQuestion,
  createKubernetesClient,
  isForbidden,
  type KubernetesClient,
} from '../../src/clients/kubernetes/index.ts';
import type { Attested } from '../../src/contract/admission/approvals.ts';
import type { RunRef } from '../../src/contract/operations/deploy.ts';
import { IN_CLUSTER } from '../../src/contract/names.ts';
import type { OverrideRequest } from '../../src/contract/admission/freeze.ts';
import { makeAttestation, overridePurpose, readAttestation } from '../../src/effects/admission/attestation.ts';
import { decisionPurpose, waitingOverridePurpose } from '../../src/plan/admission/attestation.ts';
import { decisionProblem, type Judged } from '../../src/plan/admission/gate.ts';
import { accessName, IDENTITIES, type IdentityName, identityOf } from '../../src/plan/access/identities.ts';
import { accessObjects } from '../../src/plan/access/manifests.ts';
import { platformInputs } from '../../src/plan/inputs/platform-inputs.ts';
import { type Embedded, openEmbedded } from '../support/embedded.ts';
import { eventually } from '../support/eventually.ts';
import { authenticatesBy, oidcIssuer } from '../support/servers/oidc.ts';
import { OPENSSL } from '../support/servers/tls.ts';
import { dryRunTests } from './helm-dry-run.ts';
import { commandScope } from '../../src/effects/effect.ts';

const SERVICES = 1000;
const AT_ONCE = 50;
const RBAC = 'rbac.authorization.k8s.io';
/** A row: a verb, `resource.group/subresource` and perhaps a name; the namespace; the answer for each identity. */
const LINE = /^\| `(\S+) ([^\s`]+)(?: ([^\s`]+))?` \| (\S+) \| (.*) \|$/;

/** @param authority base64 */
function kubeconfigOf(name: string, server: string, authority: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

describe('rights in a real cluster', { concurrency: 1 }, () => {
  let embedded: Embedded;
  let admin: KubernetesClient;
  let authority: string;
  const as = new Map<IdentityName, KubernetesClient>();

  before(async () => {
    embedded = await openEmbedded({
      environment: { platform: 'mini', vault: { keys: { store: 'kubernetes' } }, approvals: { by: ['ann'] } },
    });
    const { config, environment, catalog } = embedded;
    const { kubernetes } = await embedded.connections();
    admin = createKubernetesClient(kubernetes);
    const tools = acquireTools({
      names: ['helm'],
      cacheDir: config.cacheDir,
      mirror: config.toolsMirror,
      env: config.childEnv,
    });
    const inputs = platformInputs(catalog, environment, config);
    const basis = await accessBasis({ environment, catalog, inputs }, (await tools.get('helm')).path, config);
    const objects = IDENTITIES.flatMap((name) => accessObjects(identityOf(name, basis)));
    await applyObjects(admin, catalog, objects);
    assert.deepEqual(await applyObjects(admin, catalog, objects), [], 'applied again it changes nothing');
    authority = Buffer.from((await admin.certificateAuthority()) ?? '').toString('base64');
    for (const name of IDENTITIES) {
      const account = { namespace: IN_CLUSTER.namespace, name: accessName(name) };
      const { token } = await admin.tokenFor(account, 'https://kubernetes.default.svc.cluster.local', 3600);
      const kubeconfig = join(embedded.layout.root, `kubeconfig-${name}`);
      await writeFile(kubeconfig, kubeconfigOf(name, admin.server, authority, token), { mode: 0o600 });
      as.set(name, createKubernetesClient({ kubeconfig, inCluster: false }));
    }
  });
  after(async () => {
    for (const client of [...as.values(), admin]) client?.close();
    await embedded?.close();
  });

  test('are those of the table in docs/look-up/rbac.md', async () => {
    const text = await readFile(join(embedded.config.repoRoot, 'docs', 'look-up', 'rbac.md'), 'utf8');
    const places: Record<string, (string | undefined)[]> = {
      cluster: [undefined],
      others: ['default', 'kube-system'],
      platform: embedded.catalog.namespaces.map(({ name }) => name),
    };
    const lines = text.split('\n').flatMap((line) => {
      const [, verb, kind, name, where, cells] = LINE.exec(line) ?? [];
      return verb && kind && where && cells ? [{ verb, kind, name, where, cells: cells.split(' | ') }] : [];
    });
    assert.ok(lines.length > 50, `${lines.length} lines were read`);
    const found: string[] = [];
    const expected: string[] = [];
    for (const { verb, kind, name, where, cells } of lines) {
      const [plural = '', subresource] = (kind.includes('/') ? kind : `${kind}/`).split('/');
      const [resource = '', ...group] = plural.split('.');
      for (const namespace of places[where] ?? [where]) {
        const question: AccessQuestion = {
          verb,
          group: group.join('.'),
          resource,
          ...(subresource ? { subresource } : {}),
          ...(name === undefined ? {} : { name }),
          ...(namespace === undefined ? {} : { namespace }),
        };
        for (const [index, identity] of IDENTITIES.entries()) {
          const account = { namespace: IN_CLUSTER.namespace, name: accessName(identity) };
          const what = `${identity} ${verb} ${kind} ${name ?? ''} in ${namespace ?? 'cluster'}`;
          found.push(`${what}: ${(await admin.mayAccount(account, question)) ? 'yes' : 'no'}`);
          expected.push(`${what}: ${cells[index] ?? ''}`);
        }
      }
    }
    assert.deepEqual(found, expected);
  });

  test('what would make an identity stronger, or reach what is not ours, is refused when it is tried', async () => {
    const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    const role = (name: string): [string, unknown] => [
      `/apis/${RBAC}/v1/clusterroles/${name}`,
      { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules: everything },
    ];
    const binding = (name: string, to: string, account: string): [string, unknown] => [
      `/apis/${RBAC}/v1/clusterrolebindings/${name}`,
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: to },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace: IN_CLUSTER.namespace }],
      },
    ];
    const allowed: string[] = [];
    for (const [identity, client] of as) {
      const own = accessName(identity);
      const attempts: (readonly [string, () => Promise<unknown>])[] = [
        ['Secrets of kube-system', () => client.list('/api/v1/namespaces/kube-system/secrets')],
        ['a binding to cluster-admin', () => client.apply(...binding(own, 'cluster-admin', own), { force: true })],
        ['another binding to cluster-admin', () => client.apply(...binding('mine', 'cluster-admin', own))],
        [
          'the name of the reviewer',
          () => client.apply(...binding('vault-token-reviewer', 'cluster-admin', own), { force: true }),
        ],
        ['a role of its own', () => client.apply(...role('mine'))],
        ['a namespace of others', () => client.remove('/api/v1/namespaces/kube-public')],
        [
          'a token of somebody else',
          () => client.tokenFor({ namespace: IN_CLUSTER.namespace, name: accessName('installer') }, 'x', 600),
        ],
        // The installer may write roles.
        ...(identity === 'installer'
          ? []
          : ([['more for its own role', () => client.apply(...role(own), { force: true })]] as const)),
      ];
      for (const [what, attempt] of attempts)
        await attempt().then(
          () => allowed.push(`${identity}: ${what}`),
          (error: unknown) => isForbidden(error) || allowed.push(`${identity}: ${what}: ${String(error)}`),
        );
    }
    assert.deepEqual(allowed, []);
  });

  test('who decides at a gate is who the API server says, by token and by certificate; nobody changes it', async () => {
    const client = (identity: IdentityName): KubernetesClient => as.get(identity) ?? admin;
    const purpose = decisionPurpose('approve', 'release', '0123456789abcdef', randomUUID());
    const scope = commandScope(new AbortController().signal);
    const read = async (name: string): Promise<Attested | undefined> =>
      (await readAttestation({ kubernetes: client('deployer') }, { run: {} as RunRef, name }, scope)).attested;
    const account = (identity: IdentityName): string =>
      `system:serviceaccount:${IN_CLUSTER.namespace}:${accessName(identity)}`;

    const byToken = await makeAttestation(client('approver'), purpose);
    const seen = await read(byToken);
    assert.ok(seen);
    assert.deepEqual([seen.user, seen.purpose], [account('approver'), purpose]);
    assert.ok(seen.groups.includes(`system:serviceaccounts:${IN_CLUSTER.namespace}`));
    assert.ok(Math.abs(Date.parse(seen.at) - Date.now()) < 120_000);
    const byCertificate = await read(await makeAttestation(admin, purpose));
    assert.match(byCertificate?.user ?? '', /admin/);
    await assert.rejects(makeAttestation(client('viewer'), purpose), isForbidden);
    // A freeze that is overridden from the start: for just what was asked for, and for that reason.
    const asked = {
      environment: 'staging',
      clusterUid: 'uid',
      operation: 'deploy',
      reason: 'patch',
      asks: '',
    } as const;
    const override = await makeAttestation(client('approver'), overridePurpose(asked));
    const proves = async (of: OverrideRequest): Promise<string | undefined> =>
      (
        await readAttestation(
          { kubernetes: client('deployer') },
          { run: {} as RunRef, name: override, override: of },
          scope,
        )
      ).attested?.user;
    assert.equal(await proves(asked), account('approver'));
    for (const other of [
      { reason: 'another' },
      { asks: 'more' },
      { operation: 'destroy' as const },
      { clusterUid: 'b' },
    ])
      assert.equal(await proves({ ...asked, ...other }), undefined);
    assert.equal(
      (await read(await makeAttestation(client('approver'), waitingOverridePurpose(randomUUID()))))?.user,
      account('approver'),
    );
    assert.equal(await read(`ananta-${randomUUID()}`), undefined);
    assert.equal(await read('../../../../api/v1/namespaces/default'), undefined);

    // Somebody who writes another name into it, and an administrator who changes it afterwards.
    const place = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
    const another = `ananta-${randomUUID()}`;
    const made = await admin.get(`${place}/${byToken}`);
    const forged = { ...(made?.['spec'] as object), username: 'ann', groups: ['managers'] };
    const {
      uid: _uid,
      resourceVersion: _version,
      creationTimestamp: _at,
      ...metadata
    } = made?.metadata ?? { name: '' };
    await client('approver').create(place, { ...made, metadata: { ...metadata, name: another }, spec: forged });
    assert.equal((await read(another))?.user, account('approver'));
    await admin
      .replace(`${place}/${byToken}`, { ...made, spec: { ...forged, signerName: 'ananta.dev/other' } })
      .catch(() => undefined);
    assert.deepEqual(await read(byToken), seen);
  });

  test('somebody who signs in with OIDC decides under the name and the groups that the API server makes of their token', {
    skip: OPENSSL === undefined,
  }, async () => {
    const issuer = await oidcIssuer(join(embedded.layout.root, 'issuer'));
    try {
      await authenticatesBy(embedded, issuer.configuration);
      const group = 'oidc:release-managers';
      await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
        apiVersion: `${RBAC}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name: 'release-managers' },
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: accessName('approver') },
        subjects: [{ kind: 'Group', apiGroup: RBAC, name: group }],
      });
      const signedIn = async (name: string, groups: string[], audience?: string): Promise<KubernetesClient> => {
        const kubeconfig = join(embedded.layout.root, `kubeconfig-${name}`);
        const token = issuer.token(`${name}@example.com`, groups, audience);
        await writeFile(kubeconfig, kubeconfigOf(name, admin.server, authority, token), { mode: 0o600 });
        return createKubernetesClient({ kubeconfig, inCluster: false });
      };
      const [ann, bob, eve] = await Promise.all([
        signedIn('ann', ['release-managers']),
        signedIn('bob', ['release-managers']),
        signedIn('eve', ['release-managers'], 'another program'),
      ]);
      const stranger = await signedIn('zoe', ['readers']);
      const runId = randomUUID();
      const digest = '0123456789abcdef';
      const purpose = decisionPurpose('approve', 'release', digest, runId);
      const scope = commandScope(new AbortController().signal);
      const attested = async (who: KubernetesClient, of = purpose): Promise<Attested> => {
        // The API server asks the issuer for its keys when it has started.
        const name = await eventually(() => makeAttestation(who, of));
        const found = await readAttestation({ kubernetes: admin }, { run: {} as RunRef, name }, scope);
        assert.ok(found.attested);
        return found.attested;
      };
      const byAnn = await attested(ann);
      assert.deepEqual(
        [byAnn.user, byAnn.groups.filter((one) => one.startsWith('oidc:'))],
        ['oidc:ann@example.com', [group]],
      );
      const rule = { name: 'release', by: [{ group }], count: 1, notSelf: true, expiresSeconds: 60, waitSeconds: 60 };
      const problem = (by: Attested, more: Partial<Judged> = {}): string | undefined =>
        decisionProblem({
          request: { gate: 'release', digest, decision: 'approve', attestation: '' },
          ...{ rule, attested: by, runId, requester: 'oidc:bob@example.com', decided: [], now: Date.parse(by.at) },
          ...more,
        });
      assert.equal(problem(byAnn), undefined, 'an approver');
      assert.match(problem(await attested(bob)) ?? '', /bob@example\.com has asked for the operation/);
      assert.match(problem(byAnn, { now: Date.parse(byAnn.at) + 60_000 }) ?? '', /has expired/);
      const outdated = await attested(ann, decisionPurpose('approve', 'release', 'fedcba9876543210', runId));
      assert.match(problem(outdated) ?? '', /is for something else/);
      assert.match(problem({ ...byAnn, groups: ['system:authenticated'] }) ?? '', /is none of those who decide/);
      // A user outside the group may not approve anything; a token for another program is not accepted.
      await assert.rejects(makeAttestation(stranger, purpose), isForbidden);
      await assert.rejects(makeAttestation(eve, purpose), /401|Unauthorized/);
      for (const client of [ann, bob, eve, stranger]) client.close();
    } finally {
      await issuer.close();
    }
  });

  test(`there is room for ${SERVICES} Services`, async () => {
    const service = { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ port: 80 }] } };
    for (let number = 0; number < SERVICES; number += AT_ONCE)
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, index) =>
          admin.create('/api/v1/namespaces/default/services', {
            ...service,
            metadata: { name: `service-${number + index}` },
          }),
        ),
      );
    const { items } = await admin.list('/api/v1/namespaces/default/services');
    const addresses = new Set(items.map(({ spec }) => (spec as { clusterIP: string }).clusterIP));
    assert.ok(items.length >= SERVICES);
    assert.equal(addresses.size, items.length);
  });

  dryRunTests(() => embedded);
});
