/**
 * How simulated nodes, pods and volumes behave: KWOK Stages, generated. Pods find their start-up time by the release label
 * that every pod of the platform carries; nothing of the simulation is in the charts.
 *
 * A pod's life: `pod-start` (scheduled: containers run, nothing is ready; the moment of readiness is fixed and noted on the
 * pod, so that a restart of the simulator loses nothing), then `pod-ready` or, for Jobs, `pod-complete` at that moment.
 * These have weight 0: a failure stage, which has weight, is always chosen before them.
 */
import { INSTANCE_LABEL } from '../../src/contract/names.ts';
import { LOOPBACK } from '../process/ports.ts';
import type { ApiObject } from './api.ts';

export const READY_AT = 'simulation.ananta.dev/ready-at';
export const STORAGE_CLASS = 'simulated';
const PROVISIONER = 'simulation.ananta.dev/volume';

/** For pods that belong to no known release. */
const OTHER_PODS_SECONDS = 0.2;

interface Expression { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values?: readonly string[] }
export interface StageStep { patch?: { subresource?: string; root?: string; template: string }; apply?: { template: string }; delete?: boolean }

export interface StageInput {
  name: string;
  kind: 'Node' | 'Pod' | 'PersistentVolumeClaim' | 'PersistentVolume';
  labels?: Record<string, string>;
  when: Expression[];
  weight?: number;
  delay?: Record<string, unknown>;
  steps: StageStep[];
  ownLabels?: Record<string, string>;
}

export function stage(input: StageInput): ApiObject {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name: input.name, labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy', ...input.ownLabels } },
    spec: {
      resourceRef: { apiGroup: 'v1', kind: input.kind },
      selector: { ...(input.labels === undefined ? {} : { matchLabels: input.labels }), matchExpressions: input.when },
      weight: input.weight ?? 0,
      ...(input.delay === undefined ? {} : { delay: input.delay }),
      steps: input.steps,
    },
  };
}

export const NOT_DELETED: Expression = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const IS_DELETED: Expression = { key: '.metadata.deletionTimestamp', operator: 'Exists' };
const READY = '.status.conditions.[] | select( .type == "Ready" ) | .status';
const READY_AT_KEY = `.metadata.annotations["${READY_AT}"]`;
const STARTED: Expression = { key: READY_AT_KEY, operator: 'Exists' };
const OF_JOB: Expression = { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] };
const NOT_OF_JOB: Expression = { ...OF_JOB, operator: 'NotIn' };
const UNTIL_READY_AT = { durationFrom: { jq: { expression: READY_AT_KEY } } };

/** @param startupSeconds seconds by release name, from the pod's scheduling to its readiness (or completion) */
export function stages(startupSeconds: Readonly<Record<string, number>>, kubeletPort: number): ApiObject[] {
  return [...nodeStages(kubeletPort), ...podStages(startupSeconds), ...volumeStages()];
}

function podStages(startupSeconds: Readonly<Record<string, number>>): ApiObject[] {
  const table = Object.entries(startupSeconds).sort(([a], [b]) => (a < b ? -1 : 1)).map(([release, seconds]) => `${JSON.stringify(release)} "${seconds.toFixed(3)}s"`).join(' ');
  return [
    stage({
      name: 'pod-start',
      kind: 'Pod',
      when: [NOT_DELETED, { key: READY_AT_KEY, operator: 'DoesNotExist' }],
      steps: [{ patch: { subresource: 'status', template: `
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
` } }],
    }),
    stage({
      name: 'pod-ready',
      kind: 'Pod',
      when: [NOT_DELETED, STARTED, NOT_OF_JOB, { key: '.status.phase', operator: 'In', values: ['Pending', 'Running'] }, { key: READY, operator: 'NotIn', values: ['True'] }],
      delay: UNTIL_READY_AT,
      steps: [{ patch: { subresource: 'status', template: `
status:
${conditions('True', '')}
${containers('true', RUNNING)}
  phase: Running
` } }],
    }),
    stage({
      name: 'pod-complete',
      kind: 'Pod',
      when: [NOT_DELETED, STARTED, OF_JOB, { key: '.status.phase', operator: 'In', values: ['Pending', 'Running'] }],
      delay: UNTIL_READY_AT,
      steps: [{ patch: { subresource: 'status', template: `
status:
${conditions('False', 'PodCompleted')}
${containers('false', terminated(0, 'Completed'))}
  phase: Succeeded
` } }],
    }),
    stage({ name: 'pod-delete', kind: 'Pod', when: [IS_DELETED], steps: [{ delete: true }] }),
  ];
}

/** State of a container, indented to fit `containers`. `null` clears what a merge would keep. */
export const RUNNING = `
      running:
        startedAt: {{ Now | Quote }}
      waiting: null
      terminated: null`;

export function terminated(exitCode: number, reason: string): string {
  return `
      terminated:
        exitCode: ${exitCode}
        reason: ${reason}
        startedAt: {{ Now | Quote }}
        finishedAt: {{ Now | Quote }}
      running: null
      waiting: null`;
}

/** @param status of Ready; @param reason '' for none */
export function conditions(status: string, reason: string): string {
  const both = ['Ready', 'ContainersReady'].map((type) => `
  - {type: ${type}, status: "${status}", reason: "${reason}", lastTransitionTime: {{ Now | Quote }}}`).join('');
  return `
  conditions:
  - {type: PodReadyToStartContainers, status: "True", lastTransitionTime: {{ Now | Quote }}}
  - {type: Initialized, status: "True", lastTransitionTime: {{ Now | Quote }}}${both}
  {{ range .spec.readinessGates }}
  - {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ Now | Quote }}}
  {{ end }}`;
}

/** @param state indented YAML below `state:`; @param extra further fields of the status, indented by four */
export function containers(ready: string, state: string, restarts = 0, extra = ''): string {
  return `
  containerStatuses:
  {{ range .spec.containers }}
  - name: {{ .name | Quote }}
    image: {{ .image | Quote }}
    imageID: {{ .image | Quote }}
    ready: ${ready}
    started: ${ready}
    restartCount: ${restarts}${extra}
    state:${state}
  {{ end }}`;
}

function initContainers(): string {
  return `
  {{ if .spec.initContainers }}
  initContainerStatuses:
  {{ range .spec.initContainers }}
  - name: {{ .name | Quote }}
    image: {{ .image | Quote }}
    imageID: {{ .image | Quote }}
    ready: true
    restartCount: 0
    {{ if eq (or .restartPolicy "") "Always" }}
    started: true
    state:
      running:
        startedAt: {{ Now | Quote }}
    {{ else }}
    started: false
    state:
      terminated: {exitCode: 0, reason: Completed, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}
    {{ end }}
  {{ end }}
  {{ end }}`;
}

export function addresses(): string {
  return `
  hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
  {{ if not .status.podIP }}
  podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
  {{ end }}`;
}

/** What a node's status says about how to reach its kubelet. */
export function kubeletEndpoint(port: number): Record<string, unknown> {
  return { addresses: [{ type: 'InternalIP', address: LOOPBACK }], daemonEndpoints: { kubeletEndpoint: { Port: port } } };
}

function nodeStages(kubeletPort: number): ApiObject[] {
  const endpoint = Object.entries(kubeletEndpoint(kubeletPort)).map(([field, value]) => `${field}: ${JSON.stringify(value)}`).join('\n');
  const nodeConditions = `
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }}, lastHeartbeatTime: {{ Now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
{{ end }}`;
  return [
    stage({
      name: 'node-initialize',
      kind: 'Node',
      when: [{ key: READY, operator: 'NotIn', values: ['True'] }],
      steps: [{ patch: { subresource: 'status', root: 'status', template: `
{{ $now := Now }}
${nodeConditions}
${endpoint}
nodeInfo:
  architecture: simulated
  bootID: ""
  containerRuntimeVersion: kwok-{{ Version }}
  kernelVersion: kwok-{{ Version }}
  kubeProxyVersion: kwok-{{ Version }}
  kubeletVersion: kwok-{{ Version }}
  machineID: ""
  operatingSystem: linux
  osImage: simulated
  systemUUID: ""
phase: Running
` } }],
    }),
    stage({
      name: 'node-heartbeat',
      kind: 'Node',
      when: [{ key: '.status.phase', operator: 'In', values: ['Running'] }, { key: READY, operator: 'In', values: ['True'] }],
      // Far inside the controller manager's grace of 200 s.
      delay: { durationMilliseconds: 40_000, jitterDurationMilliseconds: 50_000 },
      steps: [{ patch: { subresource: 'status', root: 'status', template: `
{{ $now := or .metadata.creationTimestamp Now }}
${nodeConditions}
${endpoint}
` } }],
    }),
  ];
}

/**
 * Volumes of simulated pods hold nothing: a claim gets a volume that points nowhere, and the real controller binds the two.
 * (Kubernetes' own host-path provisioner would make folders in /tmp.)
 */
function volumeStages(): ApiObject[] {
  const ours: Expression = { key: '.spec.storageClassName', operator: 'In', values: [STORAGE_CLASS] };
  return [
    stage({
      name: 'claim-provision',
      kind: 'PersistentVolumeClaim',
      when: [NOT_DELETED, ours, { key: '.spec.volumeName', operator: 'DoesNotExist' }],
      steps: [{ apply: { template: `
apiVersion: v1
kind: PersistentVolume
metadata:
  name: pvc-{{ .metadata.uid }}
  annotations:
    pv.kubernetes.io/provisioned-by: ${PROVISIONER}
spec:
  accessModes:
  {{ YAML .spec.accessModes 1 }}
  capacity:
    storage: {{ .spec.resources.requests.storage | Quote }}
  persistentVolumeReclaimPolicy: Delete
  storageClassName: ${STORAGE_CLASS}
  volumeMode: {{ or .spec.volumeMode "Filesystem" | Quote }}
  claimRef:
    apiVersion: v1
    kind: PersistentVolumeClaim
    name: {{ .metadata.name | Quote }}
    namespace: {{ .metadata.namespace | Quote }}
    uid: {{ .metadata.uid | Quote }}
  hostPath:
    path: /simulated/{{ .metadata.namespace }}/{{ .metadata.name }}
` } }],
    }),
    stage({
      name: 'volume-delete',
      kind: 'PersistentVolume',
      when: [NOT_DELETED, ours, { key: '.status.phase', operator: 'In', values: ['Released'] }],
      steps: [{ delete: true }],
    }),
  ];
}

export function storageClass(): ApiObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: STORAGE_CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
    allowVolumeExpansion: true,
  };
}
