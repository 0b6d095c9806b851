/**
 * The life of a simulated pod: `pod-start` (scheduled: containers run, nothing is ready; the moment of readiness is
 * fixed and noted on the pod, so that a restart of the simulator loses nothing), then `pod-ready` or, for Jobs,
 * `pod-complete` at that moment. These have weight 0: a failure stage, which has weight, is always chosen before them.
 */
import { INSTANCE_LABEL } from '../../../src/contract/names.ts';
import type { ApiObject } from '../api.ts';
import { RUNNING, addresses, conditions, containers, initContainers, terminated } from './pod-status.ts';
import { type Expression, NOT_DELETED, READY, stage } from './stage.ts';

/** For pods that belong to no known release. */
const OTHER_PODS_SECONDS = 0.2;

export const READY_AT = 'simulation.ananta.dev/ready-at';
const READY_AT_KEY = `.metadata.annotations["${READY_AT}"]`;
const STARTED: Expression = { key: READY_AT_KEY, operator: 'Exists' };
const IS_DELETED: Expression = { key: '.metadata.deletionTimestamp', operator: 'Exists' };
const OF_JOB: Expression = { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] };
const NOT_OF_JOB: Expression = { ...OF_JOB, operator: 'NotIn' };
const UNTIL_READY_AT = { durationFrom: { jq: { expression: READY_AT_KEY } } };

/** @param startupSeconds seconds by release name, from the pod's scheduling to its readiness (or completion) */
export function podStages(startupSeconds: Readonly<Record<string, number>>): ApiObject[] {
  const table = Object.entries(startupSeconds)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([release, seconds]) => `${JSON.stringify(release)} "${seconds.toFixed(3)}s"`)
    .join(' ');
  return [
    stage({
      name: 'pod-start',
      kind: 'Pod',
      when: [NOT_DELETED, { key: READY_AT_KEY, operator: 'DoesNotExist' }],
      steps: [
        {
          patch: {
            subresource: 'status',
            template: `
{{ $startup := dict ${table} }}
{{ $release := index (or .metadata.labels dict) "${INSTANCE_LABEL}" }}
{{ $seconds := or (get $startup (or $release "")) "${OTHER_PODS_SECONDS.toFixed(3)}s" }}
{{ $job := false }}
{{ range .metadata.ownerReferences }}{{ if eq .kind "Job" }}{{ $job = true }}{{ end }}{{ end }}
metadata:
  annotations:
    ${READY_AT}: {{ (now | dateModify $seconds).UTC.Format "2006-01-02T15:04:05.000Z07:00" | Quote }}
status:
${conditions('{{ if $job }}True{{ else }}False{{ end }}', '{{ if $job }}{{ else }}ContainersNotReady{{ end }}')}
${containers('{{ $job }}', RUNNING)}
${initContainers()}
${addresses()}
  phase: Running
  startTime: {{ Now | Quote }}
`,
          },
        },
      ],
    }),
    stage({
      name: 'pod-ready',
      kind: 'Pod',
      when: [
        NOT_DELETED,
        STARTED,
        NOT_OF_JOB,
        { key: '.status.phase', operator: 'In', values: ['Pending', 'Running'] },
        { key: READY, operator: 'NotIn', values: ['True'] },
      ],
      delay: UNTIL_READY_AT,
      steps: [
        {
          patch: {
            subresource: 'status',
            template: `
status:
${conditions('True', '')}
${containers('true', RUNNING)}
  phase: Running
`,
          },
        },
      ],
    }),
    stage({
      name: 'pod-complete',
      kind: 'Pod',
      when: [NOT_DELETED, STARTED, OF_JOB, { key: '.status.phase', operator: 'In', values: ['Pending', 'Running'] }],
      delay: UNTIL_READY_AT,
      steps: [
        {
          patch: {
            subresource: 'status',
            template: `
status:
${conditions('False', 'PodCompleted')}
${containers('false', terminated(0, 'Completed'))}
  phase: Succeeded
`,
          },
        },
      ],
    }),
    stage({ name: 'pod-delete', kind: 'Pod', when: [IS_DELETED], steps: [{ delete: true }] }),
  ];
}
