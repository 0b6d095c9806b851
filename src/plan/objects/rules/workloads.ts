/** Deployments, StatefulSets, DaemonSets, Jobs, CronJobs, budgets and autoscalers. */
import { isLabel } from '../../../environment/fields/formats/kubernetes-names.ts';
import { isTree, type Tree } from '../../../environment/files/merge.ts';
import { selects } from './metadata.ts';
import { mountProblems } from './pods.ts';
import { entriesOf, isSet, nameOf, type Rule, treesOf } from './rule.ts';

const PERCENT = /^[0-9]+%$/;
const LONGEST_JOB = 63;
const LONGEST_CRON_JOB = 52;
const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;
const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const DAYS = 'sun mon tue wed thu fri sat'.split(' ');
const SHORTHANDS = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)$/;

function podOf({ template }: Tree): { labels: unknown; spec: Tree } {
  const tree = isTree(template) ? template : {};
  return {
    labels: isTree(tree['metadata']) ? tree['metadata']['labels'] : undefined,
    spec: isTree(tree['spec']) ? tree['spec'] : {},
  };
}

const isEmpty = ({ matchLabels, matchExpressions }: Tree): boolean =>
  entriesOf(matchLabels).length === 0 && treesOf(matchExpressions).length === 0;

const workload: Rule = (value, add) => {
  const { labels, spec } = podOf(value);
  const { selector, replicas } = value;
  if (!isTree(value['template']) || !isSet(value['template']['spec'])) add('template.spec', 'is missing');
  if (isTree(selector) && isEmpty(selector)) add('selector', 'is empty: it would select everything');
  else if (!selects(selector, labels)) add('template.metadata.labels', 'do not fit the selector');
  if (typeof replicas === 'number' && replicas < 0) add('replicas', `${replicas} is less than 0`);
  const claims = treesOf(value['volumeClaimTemplates']).map(({ metadata }) =>
    isTree(metadata) ? nameOf(metadata) : '',
  );
  mountProblems(spec, claims, (below, message) => add(`template.spec.${below}`, message));
  if (isSet(spec['restartPolicy']) && spec['restartPolicy'] !== 'Always')
    add('template.spec.restartPolicy', `${String(spec['restartPolicy'])} is for Jobs: it has to be Always`);
};

const deployment: Rule = (value, add) => {
  workload(value, add);
  const { strategy } = value;
  if (isTree(strategy) && strategy['type'] === 'Recreate' && isSet(strategy['rollingUpdate']))
    add('strategy.rollingUpdate', 'may not be there where type is Recreate');
  const rolling = isTree(strategy) && isTree(strategy['rollingUpdate']) ? strategy['rollingUpdate'] : {};
  if (isNothing(rolling['maxSurge']) && isNothing(rolling['maxUnavailable']))
    add('strategy.rollingUpdate', 'maxSurge and maxUnavailable may not both be 0');
  for (const name of ['maxSurge', 'maxUnavailable'])
    shareProblem(rolling[name], (text) => add(`strategy.rollingUpdate.${name}`, text));
};

const isNothing = (value: unknown): boolean => value === 0 || value === '0%' || value === '0';

function shareProblem(value: unknown, add: (message: string) => void): void {
  if (typeof value === 'string' && !PERCENT.test(value))
    add(`${JSON.stringify(value)} is no number and no percentage such as 25%`);
  if (typeof value === 'number' && value < 0) add(`${value} is less than 0`);
}

const stateful: Rule = (value, add) => {
  workload(value, add);
  const { serviceName } = value;
  if (typeof serviceName === 'string' && serviceName !== '' && !isLabel(serviceName))
    add('serviceName', `${JSON.stringify(serviceName.slice(0, 80))} is no name of a Service`);
};

const job: Rule = (value, add) => {
  const { spec } = podOf(value);
  const policy = spec['restartPolicy'];
  mountProblems(spec, [], (below, message) => add(`template.spec.${below}`, message));
  if (policy !== 'OnFailure' && policy !== 'Never')
    add(
      'template.spec.restartPolicy',
      `has to be OnFailure or Never${isSet(policy) ? `, and is ${String(policy)}` : ''}`,
    );
  for (const name of ['backoffLimit', 'parallelism', 'completions', 'ttlSecondsAfterFinished', 'activeDeadlineSeconds'])
    if (typeof value[name] === 'number' && value[name] < 0) add(name, `${value[name]} is less than 0`);
};

const cronJob: Rule = ({ schedule, timeZone, startingDeadlineSeconds, jobTemplate }, add) => {
  if (isTree(jobTemplate) && !isSet(jobTemplate['spec'])) add('jobTemplate.spec', 'is missing');
  if (typeof schedule === 'string') {
    if (/TZ/.test(schedule)) add('schedule', 'names a time zone: that belongs into timeZone');
    else if (!isSchedule(schedule))
      add(
        'schedule',
        `${JSON.stringify(schedule)} is no schedule: five fields as cron has them, or @daily and the like`,
      );
  }
  if (typeof timeZone === 'string' && !isTimeZone(timeZone))
    add('timeZone', `${JSON.stringify(timeZone)} is no time zone`);
  if (typeof startingDeadlineSeconds === 'number' && startingDeadlineSeconds < 0)
    add('startingDeadlineSeconds', 'is less than 0');
};

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name !== '' && name.toLowerCase() !== 'local';
  } catch {
    return false;
  }
}

/** As robfig/cron reads it, which Kubernetes uses. */
export function isSchedule(text: string): boolean {
  if (text.startsWith('@')) return SHORTHANDS.test(text);
  const fields = text.trim().split(/\s+/);
  return (
    fields.length === RANGES.length &&
    fields.every((field, at) =>
      field.split(',').every((part) => isPart(part, RANGES[at] ?? [0, 0], at === 3 ? MONTHS : at === 4 ? DAYS : [])),
    )
  );
}

function isPart(part: string, [low, high]: readonly [number, number], names: readonly string[]): boolean {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (range === '*' || range === '?') return true;
  const [first, last, ...rest] = range.split('-').map((end) => {
    const named = names.indexOf(end.toLowerCase());
    return named === -1 ? (/^\d+$/.test(end) ? Number(end) : Number.NaN) : named + (names === MONTHS ? 1 : 0);
  });
  if (rest.length > 0 || first === undefined || !(first >= low && first <= high)) return false;
  // Kubernetes' library knows Sunday as 0 alone.
  return last === undefined ? !(high === 7 && first === 7) : last >= first && last <= (high === 7 ? 6 : high);
}

const budget: Rule = ({ minAvailable, maxUnavailable }, add) => {
  if (isSet(minAvailable) && isSet(maxUnavailable)) add('', 'may have one of minAvailable and maxUnavailable');
  shareProblem(minAvailable, (text) => add('minAvailable', text));
  shareProblem(maxUnavailable, (text) => add('maxUnavailable', text));
};

const autoscaler: Rule = ({ minReplicas, maxReplicas }, add) => {
  const [least, most] = [typeof minReplicas === 'number' ? minReplicas : 1, maxReplicas];
  if (least < 1) add('minReplicas', `${least} is less than 1`);
  if (typeof most === 'number' && most < least) add('maxReplicas', `${most} is less than minReplicas (${least})`);
};

/** Names of pods, and a label of them, are made from these. */
const named =
  (longest: number): Rule =>
  ({ metadata }, add) => {
    const name = isTree(metadata) ? metadata['name'] : undefined;
    if (typeof name === 'string' && name.length > longest)
      add('metadata.name', `has ${name.length} characters: at most ${longest}`);
  };

export const WORKLOAD_RULES: Record<string, Rule> = {
  'apps.v1.DeploymentSpec': deployment,
  'apps.v1.StatefulSetSpec': stateful,
  'apps.v1.DaemonSetSpec': workload,
  'batch.v1.Job': named(LONGEST_JOB),
  'batch.v1.JobSpec': job,
  'batch.v1.CronJob': named(LONGEST_CRON_JOB),
  'batch.v1.CronJobSpec': cronJob,
  'policy.v1.PodDisruptionBudgetSpec': budget,
  'autoscaling.v2.HorizontalPodAutoscalerSpec': autoscaler,
};
