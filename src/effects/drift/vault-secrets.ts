/**
 * Kubernetes Secrets made from Vault, as they are now. Their values are compared in this process and leave it as
 * fingerprints.
 */
import { createHmac } from 'node:crypto';
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { kubernetesSecretName } from '../../contract/names.ts';
import { extraSecret, secretFindings, type SeenSecret } from '../../plan/drift/vault/secret-findings.ts';
import { notObservable } from '../../plan/drift/vault/finding.ts';
import { wantedSecrets } from '../../plan/vault/kubernetes-secrets.ts';
import { asMade, type MadeSecret, madeSecrets } from '../vault/secrets/made-secrets.ts';
import type { Inside } from './vault-inside.ts';

const FINGERPRINT_LENGTH = 12;

/** @returns undefined when the API server does not show them; that is a finding of its own */
export async function readMadeSecrets(
  clients: Clients,
  signal: AbortSignal,
): Promise<{ made: MadeSecret[] | undefined; unseen: DriftFinding[] }> {
  try {
    const labelled = await madeSecrets(clients, signal);
    const known = new Set(labelled.map(keyOf));
    // A Secret that only lost its label is found by its name.
    const others = await Promise.all(
      wantedSecrets(clients.catalog)
        .filter((secret) => !known.has(keyOf(secret)))
        .map(({ namespace, name }) => clients.kubernetes.get(paths.secret(namespace, name), signal)),
    );
    return {
      made: [...labelled, ...others.flatMap((object) => (object ? [asMade(clients, object)] : []))],
      unseen: [],
    };
  } catch (error) {
    signal.throwIfAborted();
    const why = clients.redactor.redact(error instanceof Error ? error.message : String(error));
    return {
      made: undefined,
      unseen: [
        notObservable(
          'secret',
          'Secrets made from Vault',
          why,
          'The deployer needs the right to list and read Secrets in the namespaces of the platform.',
        ),
      ],
    };
  }
}

/** @param inside undefined when Vault could not be asked */
export function compareSecrets(
  clients: Pick<Clients, 'catalog'>,
  made: readonly MadeSecret[],
  inside: Pick<Inside, 'paths' | 'receipt'> | undefined,
): { findings: DriftFinding[]; checked: number } {
  const wanted = wantedSecrets(clients.catalog);
  const found = new Map(made.map((secret) => [keyOf(secret), secret]));
  const sources = new Map(
    inside?.paths?.flatMap(({ declared, entry, history }) =>
      entry
        ? [[declared.path, { values: entry.data, revision: entry.revision, ...authorOf(history.versions[0]) }] as const]
        : [],
    ),
  );
  const fingerprint = fingerprintWith(inside?.receipt.fingerprintKey);
  const findings = wanted.flatMap((secret) => {
    const seen = found.get(keyOf(secret));
    return secretFindings(secret, seen && asSeen(seen), sources.get(secret.path), {
      ownName: secret.name === kubernetesSecretName(secret.path),
      fingerprint,
    });
  });
  const names = new Set(wanted.map(keyOf));
  const extra = made
    .filter((secret) => secret.path !== '' && !names.has(keyOf(secret)))
    .map(({ namespace, name, path }) => extraSecret(namespace, name, path));
  return { findings: [...findings, ...extra], checked: wanted.length };
}

/** Keyed, so that nobody who reads findings can try out guesses. Without the key there is nothing to show. */
function fingerprintWith(key: string | undefined): (value: string) => string {
  return (value) =>
    key === undefined ? 'a value' : createHmac('sha256', key).update(value).digest('hex').slice(0, FINGERPRINT_LENGTH);
}

function asSeen({ object, values }: MadeSecret): SeenSecret {
  const { labels, annotations } = object.metadata;
  return {
    labels: labels ?? {},
    annotations: annotations ?? {},
    managedFields: object.metadata['managedFields'],
    immutable: object['immutable'] === true,
    values,
  };
}

function authorOf(version: { createdAt: string; createdBy: string | undefined } | undefined): {
  createdAt?: string;
  createdBy?: string | undefined;
} {
  return version ? { createdAt: version.createdAt, createdBy: version.createdBy } : {};
}

function keyOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}
