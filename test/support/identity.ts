/**
 * A service account of the sandbox's cluster as somebody who works: a kubeconfig with its token, and a state folder
 * that knows no other.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type KubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { IN_CLUSTER } from '../../src/contract/names.ts';
import { runtimeSchema } from '../../src/environment/connections.ts';
import { shareCaches } from './caches.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

export interface Acting {
  kubeconfig: string;
  /** For ANANTA_STATE_DIR. */
  stateRoot: string;
  token: string;
  /** Of the cluster, as a kubeconfig has it. */
  authority: string;
}

/** @param cluster as its administrator */
export async function actingAs(
  account: string,
  { folder, name, state }: Sandbox,
  cluster: KubernetesClient,
): Promise<Acting> {
  const { token } = await cluster.tokenFor(
    { namespace: IN_CLUSTER.namespace, name: account },
    'https://kubernetes.default.svc.cluster.local',
    7200,
  );
  const authority = Buffer.from((await cluster.certificateAuthority()) ?? '').toString('base64');
  const stateRoot = join(folder, account);
  await mkdir(join(stateRoot, name), { recursive: true, mode: 0o700 });
  await shareCaches(stateRoot);
  const kubeconfig = join(stateRoot, 'kubeconfig');
  await writeFile(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': account,
      clusters: [
        {
          name: account,
          cluster: { server: cluster.server, 'certificate-authority-data': authority },
        },
      ],
      users: [{ name: account, user: { token } }],
      contexts: [{ name: account, context: { cluster: account, user: account } }],
    }),
    { mode: 0o600 },
  );
  const runtime = runtimeSchema.parse(JSON.parse(await readFile(join(state, 'runtime.json'), 'utf8')));
  await writeFile(
    join(stateRoot, name, 'runtime.json'),
    JSON.stringify({ ...runtime, cluster: { ...runtime.cluster, kubeconfig } }),
  );
  return { kubeconfig, stateRoot, token, authority };
}
