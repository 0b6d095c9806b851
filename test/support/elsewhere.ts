/**
 * A sandbox's environment as somebody has it on another machine: the same name, cluster and engine, folders of its own,
 * and a kubeconfig whose log-in is a plug-in that needs a variable of the process environment.
 */
import { chmod, copyFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../src/config.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { shareCaches } from './caches.ts';
import { actingAs } from './identity.ts';
import type { CliRun, RunningCli, Sandbox } from './sandbox/sandbox.ts';

export interface Elsewhere {
  start: (args: string[]) => RunningCli;
  cli: (args: string[]) => Promise<CliRun>;
  /** As `cli`, without the variable. */
  loggedOut: (args: string[]) => Promise<CliRun>;
}

export const LOGIN_VARIABLE = 'PLATFORM_TOKEN_FILE';

/**
 * @param account whose rights it has, of those that `rbac apply` makes
 * @param cluster as its administrator
 * @param engine address of the sandbox's
 */
export async function elsewhere(
  sandbox: Sandbox,
  account: string,
  cluster: KubernetesClient,
  engine: string,
): Promise<Elsewhere> {
  const folder = join(sandbox.folder, 'elsewhere');
  const [environments, state] = [join(folder, 'environments'), join(folder, 'state')];
  await mkdir(join(state, sandbox.name), { recursive: true, mode: 0o700 });
  await cp(readConfig().environmentsDir, environments, { recursive: true });
  await shareCaches(state);
  await copyFile(join(sandbox.state, 'vault-keys.json'), join(state, sandbox.name, 'vault-keys.json'));
  const { token, authority } = await actingAs(account, sandbox, cluster);
  const [plugin, tokenFile, kubeconfig] = ['log-in', 'token', 'kubeconfig'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(tokenFile, token, { mode: 0o600 });
  await writeFile(
    plugin,
    `#!/bin/sh
[ -n "$${LOGIN_VARIABLE}" ] || { echo "${LOGIN_VARIABLE} is not set" >&2; exit 1; }
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' \\
  "$(cat "$${LOGIN_VARIABLE}")"
`,
  );
  await chmod(plugin, 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
  await writeFile(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'stage',
      clusters: [{ name: 'stage', cluster: { server: cluster.server, 'certificate-authority-data': authority } }],
      users: [{ name: 'people', user: { exec } }],
      contexts: [{ name: 'stage', context: { cluster: 'stage', user: 'people' } }],
    }),
  );
  await writeFile(
    join(environments, `${sandbox.name}.yaml`),
    stringify({
      extends: '_base',
      description: 'For a test, from another machine',
      platform: 'mini',
      drift: { mode: 'off' },
      cluster: { context: 'stage', kubeconfig },
      engine: { address: engine, namespace: ENGINE_NAMESPACE },
      // Vault is a process of this machine, whatever the pod says.
      vault: { shares: 1, threshold: 1, kubernetesHost: cluster.server },
      charts: 'bundled',
      domain: 'sandbox.ananta.localhost',
      onFailure: 'continue',
      suppliedSecrets: 'placeholder',
    }),
  );
  const place = { ANANTA_STATE_DIR: state, ANANTA_ENVIRONMENTS_DIR: environments };
  const start = (args: string[]): RunningCli => sandbox.start(args, '', { ...place, [LOGIN_VARIABLE]: tokenFile });
  return {
    start,
    cli: (args) => start(args).done,
    loggedOut: (args) => sandbox.start(args, '', { ...place, [LOGIN_VARIABLE]: '' }).done,
  };
}
