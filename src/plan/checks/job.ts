/** The Job of a check, as it is made in the cluster. Pure. */
import type { JobCheck, Service } from '../../catalog/schema.ts';
import {
  INSTANCE_LABEL,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  OWNER_LABEL,
  RELEASE_LABELS,
  checkInstance,
} from '../../contract/names.ts';
import type { Environment } from '../../environment/schema.ts';
import { jobImage } from './planned.ts';
import type { SecretVariable } from './secrets.ts';

/** What a worker has left behind that died before it could remove it: gone after this time. */
const KEPT_SECONDS = 3600;
const USER = 10_001;
const COMPONENT = 'check';

export interface CheckJobInput {
  environment: Environment;
  service: Service;
  check: JobCheck;
  imageTags: Readonly<Record<string, string>>;
  /** The same for all attempts of the same check in the same run. */
  run: string;
  timeoutSeconds: number;
  /** Its variables that come from Secrets. */
  secrets: readonly SecretVariable[];
}

/** Its name is that of the run, so that an attempt finds what the one before has made. */
export function checkJobName(service: string, check: string, run: string): string {
  return `${checkInstance(service, check)}-${run.slice(0, 8)}`;
}

/** Made for a check: no release has it, and it goes by itself. */
export function isCheckJob(kind: string, labels: Readonly<Record<string, string>> | null | undefined): boolean {
  return (
    kind === 'Job' && labels?.[MANAGED_BY_LABEL] === MANAGED_BY && labels['app.kubernetes.io/component'] === COMPONENT
  );
}

export function checkJob({
  environment,
  service,
  check,
  imageTags,
  run,
  timeoutSeconds,
  secrets,
}: CheckJobInput): unknown {
  const instance = checkInstance(service.name, check.name);
  const labels = {
    [INSTANCE_LABEL]: instance,
    'app.kubernetes.io/name': 'check',
    'app.kubernetes.io/component': COMPONENT,
    [MANAGED_BY_LABEL]: MANAGED_BY,
    [OWNER_LABEL]: environment.name,
  };
  const resources = environment.resources[instance];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: checkJobName(service.name, check.name, run),
      namespace: service.namespace,
      labels: { ...labels, [RELEASE_LABELS.run]: run, [RELEASE_LABELS.service]: service.name },
    },
    spec: {
      backoffLimit: check.retries,
      activeDeadlineSeconds: Math.max(1, Math.ceil(timeoutSeconds)),
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          imagePullSecrets: environment.images.pullSecrets.map((name) => ({ name })),
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER,
            runAsGroup: USER,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'check',
              image: jobImage(environment, service, check, imageTags),
              imagePullPolicy: 'IfNotPresent',
              ...(check.command === undefined ? {} : { command: check.command }),
              ...(check.args === undefined ? {} : { args: check.args }),
              env: [
                ...Object.entries(check.env).map(([name, value]) => ({ name, value })),
                ...secrets.map(({ name, secret, key }) => ({
                  name,
                  valueFrom: { secretKeyRef: { name: secret, key } },
                })),
              ],
              ...(resources === undefined ? {} : { resources }),
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                readOnlyRootFilesystem: true,
              },
            },
          ],
        },
      },
    },
  };
}
