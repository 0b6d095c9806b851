/** Pods and their containers. */
import { isLabel, isQualifiedName, isSubdomain } from '../../../environment/fields/formats/kubernetes-names.ts';
import { parseQuantity, resourceProblems } from '../../../environment/fields/formats/quantity.ts';
import { isTree, type Tree } from '../../../environment/files/merge.ts';
import { entriesOf, isSet, nameOf, repeated, type Rule, textsOf, treesOf } from './rule.ts';

const VARIABLE = /^[ -<>-~]+$/;
const PORT_NAME = /^(?=[a-z0-9-]{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;
const MOST_PORT = 65_535;
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];
const LONGEST_MODE = 0o777;
const PLAIN = ['cpu', 'memory', 'ephemeral-storage'];
const WHOLE = 1_000_000_000n;

export function portProblem(value: unknown): string | undefined {
  return typeof value === 'number' && (value < 1 || value > MOST_PORT)
    ? `${value} is no port: 1 to ${MOST_PORT}`
    : undefined;
}

export function portNameProblem(value: unknown): string | undefined {
  return typeof value === 'string' && !PORT_NAME.test(value)
    ? `${JSON.stringify(value)} is no name of a port: at most 15 small letters, digits and single dashes, one letter among them`
    : undefined;
}

/** A number, or the name of a container's port. */
export function targetProblem(value: unknown): string | undefined {
  return typeof value === 'string' ? portNameProblem(value) : portProblem(value);
}

const container: Rule = (value, add) => {
  const { image, env, ports, volumeMounts } = value;
  if (!isLabel(nameOf(value)))
    add(
      'name',
      `${JSON.stringify(nameOf(value))} is no name of a container: small letters, digits and dashes, at most 63`,
    );
  if (!isSet(image)) add('image', 'is missing');
  if (typeof image === 'string' && (image.trim() === '' || image.trim() !== image))
    add('image', 'is empty, or has blanks around it');
  for (const variable of treesOf(env)) {
    if (!VARIABLE.test(nameOf(variable)))
      add(`env[${nameOf(variable)}]`, 'is no name of a variable: printable characters without "="');
    const { valueFrom } = variable;
    if (isSet(variable['value']) && variable['value'] !== '' && isSet(valueFrom))
      add(`env[${nameOf(variable)}]`, 'has both value and valueFrom');
    if (isTree(valueFrom) && Object.values(valueFrom).filter(isSet).length !== 1)
      add(`env[${nameOf(variable)}].valueFrom`, 'has to name exactly one source');
  }
  for (const name of repeated(
    treesOf(ports)
      .map(nameOf)
      .filter((each) => each !== ''),
  ))
    add(`ports[${name}]`, 'is the name of two ports');
  for (const path of repeated(treesOf(volumeMounts).map(({ mountPath }) => mountPath)))
    add('volumeMounts', `two are mounted at ${String(path)}`);
};

const containerPort: Rule = ({ containerPort: port, hostPort, name }, add) => {
  const problem = portProblem(port);
  if (problem !== undefined) add('containerPort', problem);
  if (isSet(hostPort) && hostPort !== 0 && portProblem(hostPort) !== undefined)
    add('hostPort', portProblem(hostPort) ?? '');
  const named = portNameProblem(name);
  if (named !== undefined) add('name', named);
};

const resources: Rule = ({ requests, limits }, add) => {
  const amounts = (tree: unknown): Record<string, string> =>
    Object.fromEntries(entriesOf(tree).map(([name, amount]) => [name, String(amount)]));
  for (const [half, tree] of [
    ['requests', requests],
    ['limits', limits],
  ] as const)
    for (const [name, amount] of Object.entries(amounts(tree))) {
      const parsed = parseQuantity(amount) ?? 0n;
      if (!PLAIN.includes(name) && !(isQualifiedName(name) && (name.includes('/') || name.startsWith('hugepages-'))))
        add(
          `${half}.${name}`,
          'is no resource of a container: cpu, memory, ephemeral-storage, hugepages-SIZE, or one with a domain',
        );
      if (parsed < 0n) add(`${half}.${name}`, `${amount} is less than nothing`);
      if (name.includes('/') && parsed % WHOLE !== 0n) add(`${half}.${name}`, `${amount} is a fraction of one`);
    }
  for (const { path, message } of resourceProblems({ requests: amounts(requests), limits: amounts(limits) }))
    add(path.join('.'), message);
};

const probe: Rule = (value, add) => {
  if (HANDLERS.filter((name) => isSet(value[name])).length !== 1)
    add('', `has to have exactly one of ${HANDLERS.join(', ')}`);
  for (const name of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
    'terminationGracePeriodSeconds',
  ])
    if (typeof value[name] === 'number' && value[name] < 0) add(name, `${value[name]} is less than 0`);
};

const httpGet: Rule = ({ port }, add) => {
  const problem = targetProblem(port);
  if (problem !== undefined) add('port', problem);
};

const mount: Rule = ({ mountPath }, add) => {
  if (mountPath === '') add('mountPath', 'is missing');
};

const seccomp: Rule = ({ type }, add) => {
  if (type === '') add('type', 'is missing');
};

const exec: Rule = ({ command }, add) => {
  if (!Array.isArray(command) || command.length === 0) add('command', 'has to be there');
};

const tcpSocket: Rule = ({ port }, add) => {
  const problem = targetProblem(port);
  if (problem !== undefined) add('port', problem);
};

const FIELD =
  /^(metadata\.(name|namespace|uid|(labels|annotations)\['[^']+'\])|spec\.(nodeName|serviceAccountName)|status\.(hostIP|podIP)s?)$/;

/** As a variable. Volumes know a few less. */
const fieldReference: Rule = ({ fieldPath }, add) => {
  if (typeof fieldPath === 'string' && !FIELD.test(fieldPath))
    add('fieldPath', `${JSON.stringify(fieldPath)} is no field of a pod that it can be told`);
};

const mode =
  (name: string): Rule =>
  (value, add) => {
    const found = value[name];
    if (typeof found === 'number' && (found < 0 || found > LONGEST_MODE))
      add(name, `${found} is no file mode: 0 to 0777 (${LONGEST_MODE}), in quotes nowhere`);
  };

/** Beside its name exactly one source; none is an empty folder. */
const volume: Rule = (value, add) => {
  const sources = Object.keys(value).filter((key) => key !== 'name' && isSet(value[key]));
  if (!isLabel(nameOf(value))) add('name', `${JSON.stringify(nameOf(value))} is no name of a volume`);
  if (sources.length > 1) add('', `has more than one source: ${sources.join(', ')}`);
};

/** @param more names of volumes that are made for each pod */
export function mountProblems(
  spec: Tree,
  more: readonly string[],
  add: (below: string, message: string) => void,
): void {
  const known = [...treesOf(spec['volumes']).map(nameOf), ...more];
  for (const one of [...treesOf(spec['containers']), ...treesOf(spec['initContainers'])])
    for (const mount of treesOf(one['volumeMounts']))
      if (!known.includes(nameOf(mount)))
        add(`containers[${nameOf(one)}].volumeMounts[${nameOf(mount)}]`, 'there is no volume of that name');
}

const pod: Rule = (value, add) => {
  const { containers, initContainers, serviceAccountName, imagePullSecrets, nodeSelector, tolerations } = value;
  const all = [...treesOf(containers), ...treesOf(initContainers)];
  if (treesOf(containers).length === 0) add('containers', 'has to have one at least');
  for (const name of repeated(all.map(nameOf))) add('containers', `two are called ${JSON.stringify(name)}`);
  if (typeof serviceAccountName === 'string' && serviceAccountName !== '' && !isSubdomain(serviceAccountName))
    add('serviceAccountName', `${JSON.stringify(serviceAccountName)} is no name of a ServiceAccount`);
  for (const secret of treesOf(imagePullSecrets))
    if (nameOf(secret) !== '' && !isSubdomain(nameOf(secret)))
      add(`imagePullSecrets[${nameOf(secret)}]`, 'is no name of a Secret');
  for (const [key] of entriesOf(nodeSelector))
    if (!isQualifiedName(key)) add(`nodeSelector.${key}`, 'is no key of a label');
  for (const [at, toleration] of treesOf(tolerations).entries())
    checkToleration(toleration, (below, text) => add(`tolerations[${at}]${below}`, text));
  const grace = value['terminationGracePeriodSeconds'];
  if (typeof grace === 'number' && grace < 0) add('terminationGracePeriodSeconds', `${grace} is less than 0`);
  const deadline = value['activeDeadlineSeconds'];
  if (typeof deadline === 'number' && deadline < 1) add('activeDeadlineSeconds', `${deadline} is less than 1`);
};

function checkToleration({ key, operator, value }: Tree, add: (below: string, message: string) => void): void {
  if (typeof key === 'string' && key !== '' && !isQualifiedName(key))
    add('.key', `${JSON.stringify(key)} is no key of a taint`);
  if (operator === 'Exists' && isSet(value) && value !== '') add('.value', 'may not be there with Exists');
  if ((key === undefined || key === '') && operator !== 'Exists')
    add('.operator', 'has to be Exists where no key is named');
}

const securityContext: Rule = (value, add) => {
  for (const name of ['runAsUser', 'runAsGroup', 'fsGroup'])
    if (typeof value[name] === 'number' && (value[name] < 0 || value[name] >= 2 ** 31))
      add(name, `${value[name]} is no id: 0 to 2147483647`);
  if (value['allowPrivilegeEscalation'] === false && value['privileged'] === true)
    add('allowPrivilegeEscalation', 'cannot be false where privileged is true');
  const added = isTree(value['capabilities']) ? textsOf(value['capabilities']['add']) : [];
  if (value['allowPrivilegeEscalation'] === false && added.includes('SYS_ADMIN'))
    add('capabilities.add', 'SYS_ADMIN is privilege escalation');
};

export const POD_RULES: Record<string, Rule> = {
  'core.v1.Container': container,
  'core.v1.ObjectFieldSelector': fieldReference,
  'core.v1.ContainerPort': containerPort,
  'core.v1.ResourceRequirements': resources,
  'core.v1.ExecAction': exec,
  'core.v1.VolumeMount': mount,
  'core.v1.SeccompProfile': seccomp,
  'core.v1.Probe': probe,
  'core.v1.GRPCAction': tcpSocket,
  'core.v1.HTTPGetAction': httpGet,
  'core.v1.TCPSocketAction': tcpSocket,
  'core.v1.SecretVolumeSource': mode('defaultMode'),
  'core.v1.ConfigMapVolumeSource': mode('defaultMode'),
  'core.v1.ProjectedVolumeSource': mode('defaultMode'),
  'core.v1.KeyToPath': mode('mode'),
  'core.v1.Volume': volume,
  'core.v1.PodSpec': pod,
  'core.v1.SecurityContext': securityContext,
  'core.v1.PodSecurityContext': securityContext,
};
