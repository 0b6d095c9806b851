/** Who logs in to Vault as the deployer, and who may ask the API server whether a login's token is good. */
import { DeployError } from '../../contract/errors.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import type { Redactor } from '../../clients/redact.ts';
import { FAILURES } from '../../contract/failures.ts';
import {
  DEPLOYER_SERVICE_ACCOUNT,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  OWNER_LABEL,
  VAULT_REVIEWER_SERVICE_ACCOUNT,
} from '../../contract/names.ts';

export const REVIEWER_TOKEN = `${VAULT_REVIEWER_SERVICE_ACCOUNT.name}-token`;
const tokenSchema = z.object({ data: z.object({ token: z.string().min(1) }) });
const rootCertificateSchema = z.object({ data: z.object({ 'ca.crt': z.string().min(1) }) });
const DEADLINE_MILLISECONDS = 10_000;

export interface Reviewer {
  /** Service account token that does not run out: logins must not fail between deployments. */
  jwt: string;
  /** PEM of the API server's certificate authority. */
  certificateAuthority: string;
}

/**
 * Creates what the Vault chart has not created already.
 * @param environment whose they are: on what is made
 * @returns names of what was created
 */
export async function ensureIdentities(
  kubernetes: KubernetesClient,
  environment: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const labels = { [MANAGED_BY_LABEL]: MANAGED_BY, [OWNER_LABEL]: environment };
  const { name, namespace } = VAULT_REVIEWER_SERVICE_ACCOUNT;
  const wanted: [string, Record<string, unknown>][] = [
    ...[DEPLOYER_SERVICE_ACCOUNT, VAULT_REVIEWER_SERVICE_ACCOUNT].map((account): [string, Record<string, unknown>] => [
      paths.serviceAccount(account.namespace, account.name),
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { ...account, labels },
        automountServiceAccountToken: false,
      },
    ]),
    [
      paths.clusterRoleBinding(name),
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name, labels },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    ],
  ];
  const created: string[] = [];
  await Promise.all(
    wanted.map(async ([path, object]) => {
      if (await kubernetes.get(path, signal)) return;
      await kubernetes.apply(path, object, {}, signal);
      created.push(`${String(object['kind'])} ${path.split('/').at(-1) ?? ''}`);
    }),
  );
  return created.sort();
}

/**
 * The token comes from a Secret that the cluster's token controller fills, the certificate from the one it gives every
 * namespace.
 */
export async function reviewerOf(
  kubernetes: KubernetesClient,
  redactor: Redactor,
  signal?: AbortSignal,
): Promise<Reviewer> {
  const { name, namespace } = VAULT_REVIEWER_SERVICE_ACCOUNT;
  const path = paths.secret(namespace, REVIEWER_TOKEN);
  if (!(await kubernetes.get(path, signal))) {
    await kubernetes.apply(
      path,
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'kubernetes.io/service-account-token',
        metadata: { name: REVIEWER_TOKEN, namespace, annotations: { 'kubernetes.io/service-account.name': name } },
      },
      {},
      signal,
    );
  }
  const [jwt, certificateAuthority] = await Promise.all([
    filledToken(kubernetes, path, signal),
    certificateFor(kubernetes, namespace, signal),
  ]);
  redactor.learn(jwt);
  return { jwt, certificateAuthority };
}

async function filledToken(kubernetes: KubernetesClient, path: string, signal?: AbortSignal): Promise<string> {
  const deadline = Date.now() + DEADLINE_MILLISECONDS;
  for (;;) {
    const parsed = tokenSchema.safeParse(await kubernetes.get(path, signal));
    if (parsed.success) return Buffer.from(parsed.data.data.token, 'base64').toString('utf8');
    if (Date.now() > deadline)
      throw new DeployError(
        FAILURES.unreachable,
        `the cluster did not fill the token Secret ${REVIEWER_TOKEN} within 10 s: does its token controller run?`,
      );
    await sleep(50, undefined, signal ? { signal } : {});
  }
}

/** PEM of the authority behind the API server's certificate. */
export async function certificateFor(
  kubernetes: KubernetesClient,
  namespace: string,
  signal?: AbortSignal,
): Promise<string> {
  const published = rootCertificateSchema.safeParse(
    await kubernetes.get(paths.configMap(namespace, 'kube-root-ca.crt'), signal),
  );
  return published.success ? published.data.data['ca.crt'] : ((await kubernetes.certificateAuthority()) ?? '');
}
