/**
 * Before a deployment: checks that whoever carries it out has the rights it needs, and names those that are missing.
 */
import type { AccessQuestion, KubernetesClient } from '../../clients/kubernetes/index.ts';
import { IN_CLUSTER } from '../../contract/names.ts';
import { type AccessBasis, identityOf } from '../../plan/access/identities.ts';
import { grants, type Right } from '../../plan/access/rules.ts';
import { describeQuestion, missingRights } from '../../effects/rights.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

type Asking = Pick<KubernetesClient, 'server' | 'myRules' | 'mayI' | 'mayAccount'>;

const MOST_NAMED = 12;
const EVERYTHING: Right = { verb: '*', group: '*', resource: '*' };

/**
 * The identity of this command, which local workers share. An administrator costs one request; for anybody else the
 * rights are derived and compared.
 * @param basis asked for only where it is needed: it renders every chart
 * @throws CliError (refused)
 */
export async function requireDeployerRights(
  kubernetes: Asking,
  environment: string,
  [first = 'default']: readonly string[],
  basis: () => Promise<AccessBasis>,
  signal?: AbortSignal,
): Promise<void> {
  if (grants((await kubernetes.myRules(first, signal)).rules, EVERYTHING)) return;
  const { cluster, namespaced } = identityOf('deployer', await basis());
  const missing: string[] = [];
  const check = async (namespace: string | undefined, rights: readonly Right[]): Promise<void> => {
    const { rules, complete } = await kubernetes.myRules(namespace ?? first, signal);
    for (const right of rights.filter((wanted) => !grants(rules, wanted))) {
      const question = questionOf(right, namespace);
      // Other authorizers than Kubernetes' own do not list what they allow.
      if (!complete && (await kubernetes.mayI(question, signal))) continue;
      missing.push(describeQuestion(question));
    }
  };
  await check(undefined, cluster);
  await Promise.all([...namespaced].map(([namespace, rights]) => check(namespace, rights)));
  refuse(missing, `The identity that you use on ${kubernetes.server}`, environment);
}

/**
 * The workers in the cluster, asked about by somebody else: what every one of the namespaces takes. @throws CliError
 * (refused)
 */
export async function requireWorkerRights(
  kubernetes: Asking,
  environment: string,
  namespaces: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const account = { namespace: IN_CLUSTER.namespace, name: IN_CLUSTER.worker };
  refuse(
    await missingRights(namespaces, (question) => kubernetes.mayAccount(account, question, signal)),
    `The workers (service account ${account.namespace}/${account.name})`,
    environment,
  );
}

function questionOf({ verb, group, resource: whole, name }: Right, namespace: string | undefined): AccessQuestion {
  const [resource = whole, subresource] = whole.split('/');
  return {
    verb,
    group,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function refuse(missing: readonly string[], who: string, environment: string): void {
  if (missing.length === 0) return;
  const shown = [...missing]
    .sort()
    .slice(0, MOST_NAMED)
    .map((line) => `  ${line}`);
  const rest = missing.length - shown.length;
  throw refused(
    `${who} may not do what a deployment has to do:\n${[...shown, ...(rest > 0 ? [`  and ${rest} more`] : [])].join('\n')}`,
    `${commandLine('rbac', 'apply', '--env', environment)}   (by somebody who administers the cluster)`,
    `${commandLine('rbac', 'show', '--env', environment, '--identity', 'deployer')}   (all that it needs)`,
  );
}
