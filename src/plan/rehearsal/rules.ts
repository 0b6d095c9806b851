/** What may differ between two runs that have ended in the same state: all of it, and why. Nothing else is left out. */

/** Marks a field that a rule takes out. */
export const GONE = Symbol('gone');

export interface KindRule {
  kind: string;
  /** Absent: of whichever group. */
  group?: string;
  why: string;
}

export const NOT_COMPARED: readonly KindRule[] = [
  { kind: 'Event', why: 'what happened on the way, not what is' },
  { kind: 'Lease', why: 'which controller or node answered last' },
];

export interface FieldRule {
  /** Absent: of every object. `Release` is what Helm recorded, `Vault` its configuration. */
  kind?: string;
  /** Dots between keys; `*` each entry or key; `~` a dot within a key. */
  path: string;
  why: string;
}

export const FIELDS: readonly FieldRule[] = [
  { path: 'metadata.uid', why: 'made up by the API server' },
  { path: 'metadata.resourceVersion', why: 'counts all writes to the cluster' },
  { path: 'metadata.generation', why: 'counts writes to the object' },
  { path: 'status.observedGeneration', why: 'counts writes to the object' },
  { path: 'status.conditions.*.observedGeneration', why: 'counts writes to the object' },
  { path: 'metadata.managedFields', why: 'who wrote which field when; the fields themselves are compared' },
  {
    path: 'metadata.annotations.endpoints~kubernetes~io/last-change-trigger-time',
    why: 'there only when an endpoint came after its Service',
  },
  { path: 'metadata.annotations.deployment~kubernetes~io/revision', why: 'counts changes of the pod template' },
  {
    kind: 'PersistentVolumeClaim',
    path: 'metadata.annotations.volume~kubernetes~io/storage-provisioner',
    why: 'there only when the claim was looked at before it had its volume',
  },
  {
    kind: 'PersistentVolumeClaim',
    path: 'metadata.annotations.volume~beta~kubernetes~io/storage-provisioner',
    why: 'there only when the claim was looked at before it had its volume',
  },
  {
    path: 'metadata.annotations.simulation~ananta~dev/touched',
    why: 'there only when the simulator had overlooked something, and was told so',
  },
  { kind: 'ControllerRevision', path: 'revision', why: 'counts changes of the pod template' },
  { kind: 'Pod', path: 'spec.nodeName', why: 'which of three equal nodes the scheduler took' },
  { kind: 'Pod', path: 'metadata.labels.topology~kubernetes~io/zone', why: 'of that node' },
  { kind: 'EndpointSlice', path: 'endpoints.*.nodeName', why: 'of that node' },
  { kind: 'EndpointSlice', path: 'endpoints.*.zone', why: 'of that node' },
  { kind: 'EndpointSlice', path: 'endpoints.*.targetRef.name', why: 'name of a pod, with its made-up end' },
  { kind: 'Endpoints', path: 'subsets.*.addresses.*.nodeName', why: 'of that node' },
  { kind: 'Endpoints', path: 'subsets.*.addresses.*.targetRef.name', why: 'name of a pod, with its made-up end' },
  { kind: 'ConfigMap', path: 'data.owner~json.cluster.authority', why: 'each throwaway cluster has one of its own' },
  { kind: 'ConfigMap', path: 'data.record.seconds', why: 'how long it took' },
  { kind: 'ConfigMap', path: 'data.version.seconds', why: 'how long it took' },
  { kind: 'ConfigMap', path: 'data.version.services.*.seconds', why: 'how long it took' },
  { kind: 'ConfigMap', path: 'data.version.releases.*.revision', why: 'a Helm that was killed leaves one more' },
  { kind: 'Release', path: 'version', why: 'a Helm that was killed leaves one more' },
  { kind: 'Vault', path: 'accessor', why: 'made up by Vault' },
  { kind: 'Vault', path: 'uuid', why: 'made up by Vault' },
  { kind: 'Vault', path: 'receipt.fingerprintKey', why: 'made up in each run' },
];

export interface FormatRule {
  pattern: RegExp;
  as: string;
  why: string;
}

/** In any text, keys of maps left out. */
export const COMPARED_BY_VALUE: readonly FormatRule[] = [
  {
    pattern: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g,
    as: '(id)',
    why: 'uids, ids of runs',
  },
  {
    pattern: /\b\d{4}-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d([.-]\d+)?(Z|[+-]\d\d:\d\d)/g,
    as: '(time)',
    why: 'when something happened',
  },
  {
    pattern: /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
    as: '(certificate)',
    why: 'each throwaway cluster has an authority of its own',
  },
  {
    // Not of a range, as network policies have them.
    pattern: /\b10\.(0|96)\.\d+\.\d+\b(?!\/)/g,
    as: '(address)',
    why: 'of pods and Services, in the order in which they came',
  },
  { pattern: /\bkube-api-access-[a-z0-9]{5}\b/g, as: 'kube-api-access-*', why: 'the end is made up by the API server' },
  { pattern: /\b(auth_[a-z]+)_[0-9a-f]{8}\b/g, as: '$1_*', why: 'how Vault calls a login method, in a policy' },
  { pattern: /\b(deploy\/[^/\s"]+)\/[0-9a-f]{8}\b/g, as: '$1/*', why: 'the lock of an operation names the cluster' },
];

/** All rules in words, for a certificate. */
export function mayDiffer(): { what: string; why: string }[] {
  return [
    ...NOT_COMPARED.map(({ kind, why }) => ({ what: `every ${kind}`, why })),
    ...FIELDS.map(({ kind, path, why }) => ({ what: `${kind ?? 'every object'}: ${path.replaceAll('~', '.')}`, why })),
    ...COMPARED_BY_VALUE.map(({ as, why }) => ({ what: `texts: ${as.replace('$1', '…')}`, why })),
    ...OTHERWISE,
  ];
}

/** Applied in code by `state.ts`. */
const OTHERWISE = [
  {
    what: 'values in Secrets and in Vault',
    why: 'made anew in each run; keys, lengths and how often they were written are compared, and values that the catalog says',
  },
  {
    what: "labels of Helm's records: ananta-run, ananta-owner, ananta-bound, the proof's own text",
    why: 'which run and process wrote it when; that it is proved, healthy, and made from what is compared',
  },
  {
    what: 'superseded revisions of releases',
    why: 'a Helm that was killed leaves one more; the newest revision is compared',
  },
  { what: 'ends of generated names', why: 'made up by the API server; how many there are of a name is compared' },
];
