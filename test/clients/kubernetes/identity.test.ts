import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { authorityFingerprint, clusterIdentity } from '../../../src/clients/kubernetes/identity.ts';
import { KubernetesError } from '../../../src/clients/kubernetes/errors.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/objects.ts';
import { clusterDifference } from '../../../src/contract/cluster.ts';
import { certificates, OPENSSL } from '../../support/servers/tls.ts';

describe('the identity of a cluster', { skip: OPENSSL === undefined && 'needs openssl' }, () => {
  let folder: string;
  let one: string;
  let two: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ananta-identity-'));
    const made = await Promise.all(['one', 'two'].map((name) => certificates(join(folder, name))));
    [one, two] = (await Promise.all(made.map(({ ca }) => readFile(ca, 'utf8')))) as [string, string];
  });
  after(() => rm(folder, { recursive: true }));

  const published = (pem: string): KubernetesObject => ({
    metadata: { name: 'kube-root-ca.crt', uid: 'x', resourceVersion: '1' },
    data: { 'ca.crt': pem },
  });
  const identityWith = (
    objects: Record<string, KubernetesObject | Error>,
    trusted?: string,
  ): ReturnType<typeof clusterIdentity> =>
    clusterIdentity({
      uid: () => Promise.resolve('uid'),
      get: (path) => {
        const found = objects[path.split('/')[4] ?? ''];
        return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
      },
      trusted: () => Promise.resolve(trusted),
    });
  const forbidden = (): Error => new KubernetesError('GET x', 403, 'Forbidden', 'no');

  test('a fingerprint is of the certificates, not of the text around them or their order', () => {
    assert.match(authorityFingerprint(one) ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.equal(authorityFingerprint(`# of the cluster\n${one}\n${one}`), authorityFingerprint(one));
    assert.equal(authorityFingerprint(one + two), authorityFingerprint(two + one));
    assert.equal(new Set([one, two, one + two].map(authorityFingerprint)).size, 3);
    assert.equal(authorityFingerprint(''), undefined);
  });

  test('what the cluster publishes counts, whatever the connection trusts: everybody gets the same answer', async () => {
    const [ofOne, ofTwo] = [one, two].map(authorityFingerprint);
    assert.deepEqual(await identityWith({ 'ananta-system': published(one) }, two), { uid: 'uid', authority: ofOne });
    assert.deepEqual(await identityWith({ 'ananta-system': forbidden(), 'kube-system': published(one) }, two), {
      uid: 'uid',
      authority: ofOne,
    });
    assert.deepEqual(await identityWith({ 'kube-system': forbidden() }, two), { uid: 'uid', authority: ofTwo });
    assert.deepEqual(await identityWith({}), { uid: 'uid' });
    await assert.rejects(
      identityWith({ 'ananta-system': new KubernetesError('GET x', 500, '', 'trouble') }),
      /trouble/,
    );
  });

  test('another uid is another cluster, and so is the same uid behind another authority', () => {
    const bound = { uid: 'a', authority: 'sha256:1' };
    const cases: [found: { uid: string; authority?: string }, difference: RegExp | undefined][] = [
      [{ uid: 'a', authority: 'sha256:1' }, undefined],
      [{ uid: 'b', authority: 'sha256:1' }, /kube-system uid b instead of a/],
      [
        { uid: 'a', authority: 'sha256:2' },
        /the same kube-system uid a, but the certificate authority sha256:2 instead of sha256:1/,
      ],
      // An identity that was never recorded contradicts nothing.
      [{ uid: 'a' }, undefined],
    ];
    for (const [found, difference] of cases) {
      const told = clusterDifference(bound, found);
      if (difference) assert.match(told ?? '', difference);
      else assert.equal(told, undefined);
    }
  });
});
