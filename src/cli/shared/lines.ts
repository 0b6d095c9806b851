/** How to look around in an environment with the usual tools: lines for a shell. */
import { dirname } from 'node:path';
import { VAULT, DEPLOYER_SERVICE_ACCOUNT } from '../../contract/names.ts';
import type { Connections, Runtime } from '../../environment/connections.ts';
import { shellWord } from './format.ts';

export { workflowUrl } from '../../environment/workflow-url.ts';

/** Tools that are useful on a person's PATH; the others run in the background. */
const HANDY = ['kubectl', 'helm', 'vault', 'temporal'];

/** Lines to export, so that kubectl, helm, vault and temporal meet this environment and no other. */
export function exportLines(
  connections: Pick<Connections, 'kubernetes' | 'engine'>,
  runtime: Runtime | undefined,
): string[] {
  const folders = new Set(
    HANDY.flatMap((name) => (runtime?.tools[name] === undefined ? [] : [dirname(runtime.tools[name])])),
  );
  const vault = runtime?.vault?.address;
  return [
    ...(folders.size === 0 ? [] : [`export PATH=${[...folders].map(shellWord).join(':')}:$PATH`]),
    ...(connections.kubernetes.inCluster ? [] : [`export KUBECONFIG=${shellWord(connections.kubernetes.kubeconfig)}`]),
    ...(vault === undefined ? [] : [`export VAULT_ADDR=${vault}`]),
    // Inside of the cluster: no address for a shell out here.
    ...(connections.engine.tunnel === undefined
      ? [`export TEMPORAL_ADDRESS=${connections.engine.address} TEMPORAL_NAMESPACE=${connections.engine.namespace}`]
      : []),
  ];
}

/** A few commands that show something, with what they show. */
export function lookAroundLines(
  connections: Pick<Connections, 'kubernetes'>,
  runtime: Runtime | undefined,
  tls?: { secret: string },
): [line: string, shows: string][] {
  const { context } = connections.kubernetes;
  const kubectl = `kubectl${context === undefined || connections.kubernetes.inCluster ? '' : ` --context ${shellWord(context)}`}`;
  const helm = `helm${context === undefined || connections.kubernetes.inCluster ? '' : ` --kube-context ${shellWord(context)}`}`;
  const login = `vault write -field=token auth/${VAULT.authMount}/login role=${VAULT.deployerRole} jwt=$(${kubectl} -n ${DEPLOYER_SERVICE_ACCOUNT.namespace} create token ${DEPLOYER_SERVICE_ACCOUNT.name} --audience ${VAULT.audience})`;
  return [
    [`${kubectl} get pods -A`, 'every pod and its state'],
    [`${helm} list -A`, 'every release and its revision'],
    ...(runtime?.vault === undefined
      ? [
          [
            `${kubectl} -n vault-system port-forward svc/${VAULT.service} 8200 & export VAULT_ADDR=${tls === undefined ? 'http' : 'https'}://127.0.0.1:8200`,
            'a way to Vault',
          ] as [string, string],
          ...(tls === undefined
            ? []
            : [
                [
                  `${kubectl} -n vault-system get secret ${tls.secret} -o jsonpath='{.data.ca\\.crt}' | base64 -d > vault-ca.crt; export VAULT_CACERT=vault-ca.crt`,
                  'whom its certificate is checked against',
                ] as [string, string],
              ]),
        ]
      : []),
    [`export VAULT_TOKEN=$(${login})`, 'logs in to Vault as the deployer'],
    [`vault kv list ${VAULT.kvMount}/`, 'the paths it keeps'],
  ];
}
