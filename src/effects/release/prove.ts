/** Writes the proof that a revision is ours onto the Secret that holds it. */
import { helmSecretName } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { contentHash, type Proofs, proofOf } from '../../plan/ownership/provenance.ts';
import { ownNames } from '../owner/claim.ts';
import { forgetProofs, readProofs } from '../vault/proofs.ts';
import { writeReceipt } from '../vault/receipt.ts';
import { allJudgedRevisions, type JudgedRevision, storedIn } from './provenance.ts';

type Proving = Pick<Clients, 'kubernetes' | 'vault' | 'redactor' | 'environment'>;

/**
 * The labels that prove a revision, for a patch together with others.
 * @param secret with its content
 * @param labels that it gets in the same patch
 * @returns none where the key is not there, or the content cannot be read: then it is proved later
 */
export async function proofLabels(
  secret: KubernetesObject | undefined,
  { key }: Proofs,
  labels: Record<string, string> = {},
): Promise<Record<string, string>> {
  const stored = key && (await storedIn(secret));
  if (!secret || !key || !stored) return {};
  const { namespace = '', uid, labels: own } = secret.metadata;
  const subject = {
    namespace,
    uid,
    name: own?.['name'] ?? '',
    revision: Number(own?.['version']),
    labels: { ...own, ...labels },
  };
  return { [RELEASE_LABELS.proof]: proofOf(key, subject, contentHash(key, stored)) };
}

/** Without a signal: what Helm has finished counts, also when this was cancelled. */
export async function proveRevision(clients: Proving, secret: KubernetesObject): Promise<void> {
  const labels = await proofLabels(secret, await readProofs(clients));
  if (Object.keys(labels).length === 0) return;
  await clients.kubernetes.label(paths.secret(secret.metadata.namespace ?? '', secret.metadata.name), labels);
}

/**
 * Proves what was applied before the key was there: releases that Vault itself needs; once, all that an earlier version
 * of this program has applied; and what was proved with a key that Vault has lost. Not those that a copy could pass
 * for.
 * @returns how many
 */
export async function proveRevisions(clients: Proving, signal?: AbortSignal): Promise<number> {
  const [{ revisions, proofs }, owners] = await Promise.all([
    allJudgedRevisions(clients, signal),
    ownNames(clients.kubernetes, clients.environment.name),
  ]);
  if (proofs.key === undefined) return 0;
  const open = [...revisions.values()]
    .flat()
    .filter(
      ({ provenance, status, labels }) =>
        (provenance === 'unproven' || provenance === 'unknown') &&
        ['deployed', 'superseded'].includes(status) &&
        owners.includes(labels[RELEASE_LABELS.environment] ?? ''),
    );
  const proved = await proveAll(clients, open, proofs, signal);
  if (proofs.since === undefined) {
    await clients.vault.asDeployer(
      (session) => writeReceipt(session, { provedSince: new Date().toISOString() }, signal),
      signal,
    );
    forgetProofs(clients);
  }
  return proved;
}

async function proveAll(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  open: readonly JudgedRevision[],
  proofs: Proofs,
  signal?: AbortSignal,
): Promise<number> {
  let proved = 0;
  const queue = [...open];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const path = paths.secret(next.secret.namespace, next.secret.name);
      const secret = await kubernetes.get(path, signal);
      if (secret?.metadata.uid !== next.secret.uid) continue;
      // Of a rollback that was interrupted, the labels still name the run of the revision gone back to.
      const labels = { [RELEASE_LABELS.run]: next.labels[RELEASE_LABELS.run] ?? '' };
      const proof = await proofLabels(secret, proofs, labels);
      if (Object.keys(proof).length === 0) continue;
      await kubernetes.label(path, { ...labels, ...proof }, signal);
      proved += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return proved;
}

/**
 * The record is there, and is proved to be ours. Helm ends well even where it could not record that it did, because the
 * API server was away in that moment.
 * @throws DeployError HelmInterrupted: the next attempt removes the unfinished record and adopts what was applied
 */
export async function assertRecorded(
  clients: Proving,
  { namespace, name }: { namespace: string; name: string },
  revision: number,
): Promise<void> {
  // Also when this was cancelled: what Helm has finished counts.
  const secret = await clients.kubernetes.get(paths.secret(namespace, helmSecretName(name, revision)));
  const status = secret?.metadata.labels?.['status'];
  if (secret !== undefined && status === 'deployed') {
    await proveRevision(clients, secret);
    return;
  }
  const record = secret === undefined ? `there is no revision ${revision}` : `revision ${revision} is ${status} in it`;
  throw new DeployError(
    FAILURES.helmInterrupted,
    `Helm has applied ${name} in ${namespace} and could not record it: ${record}. What it applied stays, and is adopted by the next attempt`,
  );
}
