/** Objects that the API server refuses, each for one reason, and some that look odd and are taken. */
type Tree = Record<string, unknown>;

const labels = { app: 'odd' };
const container = { name: 'main', image: 'example/main:1' };
const template = { metadata: { labels }, spec: { containers: [container] } };
const meta = (more: Tree = {}): Tree => ({ name: 'odd', namespace: 'default', ...more });

const deployment = (spec: Tree = {}, metadata: Tree = {}): Tree => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta(metadata),
  spec: { selector: { matchLabels: labels }, template, ...spec },
});
/** A Deployment with one container. */
const withPod = (pod: Tree, of: Tree = {}): Tree =>
  deployment({ template: { metadata: { labels }, spec: { containers: [{ ...container, ...of }], ...pod } } });
const withContainer = (of: Tree): Tree => withPod({}, of);
const stateful = (spec: Tree): Tree => ({
  ...deployment({ serviceName: 'odd', ...spec }),
  kind: 'StatefulSet',
});
const claim = (spec: Tree): Tree => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta(),
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const job = (pod: Tree, spec: Tree = {}, metadata: Tree = {}): Tree => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: meta(metadata),
  spec: { template: { spec: { restartPolicy: 'Never', containers: [container], ...pod } }, ...spec },
});
const cronJob = (spec: Tree): Tree => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: meta(),
  spec: { schedule: '0 * * * *', jobTemplate: { spec: job({})['spec'] }, ...spec },
});
const service = (spec: Tree, metadata: Tree = {}): Tree => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(metadata),
  spec: { ports: [{ port: 80 }], ...spec },
});
const ingress = (rule: Tree, path: Tree = {}, backend: Tree = {}, spec: Tree = {}): Tree => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: meta(),
  spec: {
    rules: [
      {
        host: 'odd.example',
        http: {
          paths: [
            {
              path: '/',
              pathType: 'Prefix',
              backend: { service: { name: 'odd', port: { number: 80 }, ...backend } },
              ...path,
            },
          ],
        },
        ...rule,
      },
    ],
    ...spec,
  },
});
const policy = (spec: Tree): Tree => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: meta(),
  spec: { podSelector: {}, ...spec },
});
const budget = (spec: Tree): Tree => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: meta(),
  spec: { selector: { matchLabels: labels }, ...spec },
});
const autoscaler = (spec: Tree): Tree => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: meta(),
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'odd', apiVersion: 'apps/v1' }, maxReplicas: 3, ...spec },
});
const configMap = (data: Tree, metadata: Tree = {}): Tree => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: meta(metadata),
  data,
});
const long = (length: number): string => 'a'.repeat(length);

const role = (rules: Tree[]): Tree => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: meta(),
  rules,
});
const binding = (subject: Tree, ref: Tree = {}): Tree => ({
  ...role([]),
  rules: undefined,
  kind: 'RoleBinding',
  subjects: [{ kind: 'ServiceAccount', name: 'odd', namespace: 'default', ...subject }],
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'odd', ...ref },
});

/** Rows: what is odd, the object, the field that is named, the words of the message. */
export const REFUSED: [what: string, object: Tree, path: RegExp, message: RegExp][] = [
  // Fields and types.
  [
    'a field mistyped',
    withPod({ serviceAcountName: 'x' }),
    /spec\.serviceAcountName/,
    /did you mean "serviceAccountName"/,
  ],
  ['a field one level too high', deployment({ containers: [container] }), /^spec\.containers/, /no field/],
  ['text for a number', deployment({ replicas: '3' }), /^spec\.replicas/, /whole number, and is the text "3"/],
  ['a fraction of a pod', deployment({ replicas: 1.5 }), /^spec\.replicas/, /whole number/],
  ['too many pods for 32 bits', deployment({ replicas: 3_000_000_000 }), /^spec\.replicas/, /too large/],
  ['a number for a variable', withContainer({ env: [{ name: 'A', value: 1 }] }), /env\[A\]\.value/, /put it in quotes/],
  ['true for a variable', withContainer({ env: [{ name: 'A', value: true }] }), /env\[A\]\.value/, /put it in quotes/],
  ['a number for a label', deployment({}, { labels: { version: 1 } }), /metadata\.labels\.version/, /text/],
  ['true for an annotation', deployment({}, { annotations: { scrape: true } }), /annotations\.scrape/, /text/],
  [
    'text for true',
    withPod({ automountServiceAccountToken: 'false' }),
    /automountServiceAccountToken/,
    /true or false/,
  ],
  ['a list for an object', deployment({ template: [template] }), /^spec\.template/, /has to have keys/],
  ['an object for a list', withPod({ volumes: { data: {} } }), /spec\.volumes/, /has to be a list/],
  ['a selector of everything', deployment({ selector: { matchLabels: {} } }), /selector/, /is empty/],
  ['no selector', { ...deployment(), spec: { template } }, /^spec\.selector/, /is missing/],
  ['no template', { ...deployment(), spec: { selector: { matchLabels: labels } } }, /^spec\.template/, /is missing/],
  ['a policy that is none', withContainer({ imagePullPolicy: 'Sometimes' }), /imagePullPolicy/, /none of "Always"/],
  [
    'a version that has gone',
    { ...budget({ minAvailable: 1 }), apiVersion: 'policy/v1beta1' },
    /^apiVersion/,
    /but in policy\/v1/,
  ],
  ['a kind in a wrong group', { ...deployment(), apiVersion: 'v1' }, /^apiVersion/, /but in apps\/v1/],
  // Names, labels.
  ['a name with capitals', deployment({}, { name: 'Odd' }), /^metadata\.name/, /no name of an object/],
  ['a name with an underscore', configMap({}, { name: 'odd_map' }), /^metadata\.name/, /no name of an object/],
  ['a name too long', configMap({}, { name: long(254) }), /^metadata\.name/, /at most 253/],
  ['a Service that begins with a digit', service({}, { name: '1odd' }), /^metadata\.name/, /first a letter/],
  ['a Service with a long name', service({}, { name: long(64) }), /^metadata\.name/, /at most 63/],
  ['a Job with a long name', job({}, {}, { name: long(64) }), /metadata\.name/, /at most 63/],
  ['a label too long', deployment({}, { labels: { a: long(64) } }), /labels\.a/, /no value of a label/],
  ['a label that ends in a dash', deployment({}, { labels: { a: 'x-' } }), /labels\.a/, /no value of a label/],
  ['a key with two slashes', deployment({}, { labels: { 'a/b/c': 'x' } }), /labels\./, /no key of a label/],
  [
    'an annotation with a blank',
    deployment({}, { annotations: { 'a b': 'x' } }),
    /annotations\./,
    /no key of an annotation/,
  ],
  ['annotations too large', configMap({}, { annotations: { a: long(300_000) } }), /annotations/, /takes 256/],
  // Workloads.
  [
    'labels that fit no selector',
    deployment({ selector: { matchLabels: { app: 'other' } } }),
    /template\.metadata\.labels/,
    /selector/,
  ],
  ['a negative number of pods', deployment({ replicas: -1 }), /replicas/, /less than 0/],
  [
    'Recreate with rollingUpdate',
    deployment({ strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
    /rollingUpdate/,
    /Recreate/,
  ],
  [
    'a rollout that may do nothing',
    deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    /rollingUpdate/,
    /both be 0/,
  ],
  ['a share that is none', deployment({ strategy: { rollingUpdate: { maxSurge: 'half' } } }), /maxSurge/, /25%/],
  ['a Deployment that ends', withPod({ restartPolicy: 'Never' }), /restartPolicy/, /Always/],
  ['a Job that goes on', job({ restartPolicy: 'Always' }), /restartPolicy/, /OnFailure or Never/],
  ['a Job that does not say', job({ restartPolicy: undefined }), /restartPolicy/, /OnFailure or Never/],
  ['a negative backoff', job({}, { backoffLimit: -1 }), /backoffLimit/, /less than 0/],
  ['a schedule of four fields', cronJob({ schedule: '0 * * *' }), /schedule/, /five fields/],
  ['minute 60', cronJob({ schedule: '60 * * * *' }), /schedule/, /five fields/],
  ['a schedule by name that is none', cronJob({ schedule: '@nightly' }), /schedule/, /@daily/],
  ['a time zone that is none', cronJob({ timeZone: 'Mars/Olympus' }), /timeZone/, /no time zone/],
  ['both halves of a budget', budget({ minAvailable: 1, maxUnavailable: 1 }), /spec/, /one of/],
  ['a budget of some', budget({ minAvailable: 'some' }), /minAvailable/, /percentage/],
  ['more at least than at most', autoscaler({ minReplicas: 5 }), /maxReplicas/, /less than minReplicas/],
  // Pods.
  ['no container', withPod({ containers: [] }), /containers/, /one at least/],
  ['a container without an image', withContainer({ image: undefined }), /image/, /is missing/],
  ['a probe that runs nothing', withContainer({ livenessProbe: { exec: {} } }), /command/, /has to be there/],
  [
    'a field that is none',
    withContainer({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }] }),
    /fieldPath/,
    /no field of a pod/,
  ],
  ['nothing between two variables', withContainer({ env: [{ name: 'A', value: 'x' }, null] }), /env\[1\]/, /is empty/],
  ['two containers of one name', withPod({ containers: [container, container] }), /containers/, /twice|two are called/],
  ['a container with a dot', withContainer({ name: 'a.b' }), /name/, /no name of a container/],
  ['a variable without a name', withContainer({ env: [{ name: '', value: 'x' }] }), /env/, /no name of a variable/],
  ['a variable with =', withContainer({ env: [{ name: 'a=b', value: 'x' }] }), /env/, /no name of a variable/],
  [
    'a value from two places',
    withContainer({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    /env\[A\]/,
    /both value and valueFrom/,
  ],
  [
    'a variable twice',
    withContainer({
      env: [
        { name: 'A', value: 'x' },
        { name: 'A', value: 'y' },
      ],
    }),
    /env\[A\]/,
    /twice/,
  ],
  ['port 0', withContainer({ ports: [{ containerPort: 0 }] }), /containerPort/, /no port/],
  ['port 70000', withContainer({ ports: [{ containerPort: 70_000 }] }), /containerPort/, /no port/],
  [
    'a port of a long name',
    withContainer({ ports: [{ containerPort: 80, name: 'a-name-that-is-too-long' }] }),
    /ports.*name/,
    /at most 15/,
  ],
  [
    'a port twice',
    withContainer({ ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] }),
    /ports/,
    /twice/,
  ],
  [
    'two ports of one name',
    withContainer({
      ports: [
        { containerPort: 80, name: 'http' },
        { containerPort: 81, name: 'http' },
      ],
    }),
    /ports\[http\]/,
    /two ports/,
  ],
  [
    'a quantity that is none',
    withContainer({ resources: { limits: { memory: '1GB' } } }),
    /limits\.memory/,
    /no quantity/,
  ],
  [
    'a negative quantity',
    withContainer({ resources: { limits: { memory: '-1Gi' } } }),
    /limits\.memory/,
    /less than nothing/,
  ],
  [
    'requests over limits',
    withContainer({ resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }),
    /requests\.cpu/,
    /more than the limit/,
  ],
  ['a resource that is none', withContainer({ resources: { limits: { ram: '1Gi' } } }), /limits\.ram/, /no resource/],
  [
    'a probe that asks nothing',
    withContainer({ readinessProbe: { periodSeconds: 5 } }),
    /readinessProbe/,
    /exactly one/,
  ],
  [
    'a probe that asks twice',
    withContainer({ readinessProbe: { tcpSocket: { port: 80 }, exec: { command: ['true'] } } }),
    /readinessProbe/,
    /exactly one/,
  ],
  [
    'a probe of the past',
    withContainer({ readinessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: -1 } }),
    /initialDelaySeconds/,
    /less than 0/,
  ],
  [
    'a volume that is not there',
    withContainer({ volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
    /volumeMounts\[data\]/,
    /no volume/,
  ],
  [
    'two volumes at one place',
    withPod(
      {
        volumes: [
          { name: 'a', emptyDir: {} },
          { name: 'b', emptyDir: {} },
        ],
      },
      {
        volumeMounts: [
          { name: 'a', mountPath: '/x' },
          { name: 'b', mountPath: '/x' },
        ],
      },
    ),
    /volumeMounts/,
    /mounted at \/x|twice/,
  ],
  [
    'a volume of two kinds',
    withPod({ volumes: [{ name: 'a', emptyDir: {}, secret: { secretName: 'x' } }] }),
    /volumes\[a\]/,
    /more than one source/,
  ],
  [
    'a mode that is none',
    withPod({ volumes: [{ name: 'a', secret: { secretName: 'x', defaultMode: 1000 } }] }),
    /defaultMode/,
    /no file mode/,
  ],
  ['a service account with a blank', withPod({ serviceAccountName: 'a b' }), /serviceAccountName/, /no name/],
  [
    'a toleration without a key',
    withPod({ tolerations: [{ value: 'x', effect: 'NoSchedule' }] }),
    /tolerations/,
    /Exists/,
  ],
  ['a user below 0', withPod({ securityContext: { runAsUser: -1 } }), /runAsUser/, /no id/],
  [
    'privileged without escalation',
    withContainer({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
    /allowPrivilegeEscalation/,
    /privileged/,
  ],
  [
    'a key of a Secret with a blank',
    withContainer({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'a key' } } }] }),
    /secretKeyRef\.key/,
    /no key/,
  ],
  // Network.
  ['a Service without ports', service({ ports: [] }), /ports/, /one at least/],
  ['two ports without names', service({ ports: [{ port: 80 }, { port: 81 }] }), /ports.*name/, /is missing/],
  [
    'a nodePort inside the cluster',
    service({ type: 'ClusterIP', ports: [{ port: 80, nodePort: 30_080 }] }),
    /ports/,
    /ClusterIP/,
  ],
  ['a headless NodePort', service({ type: 'NodePort', clusterIP: 'None' }), /clusterIP/, /may not be None/],
  [
    'a target of a long name',
    service({ ports: [{ port: 80, targetPort: 'a-name-that-is-too-long' }] }),
    /targetPort/,
    /at most 15/,
  ],
  ['a host with a scheme', ingress({ host: 'https://odd.example' }), /host/, /no host name/],
  ['a host that is an address', ingress({ host: '10.0.0.1' }), /host/, /no host name/],
  ['a path without a slash', ingress({}, { path: 'odd' }), /path/, /begin with/],
  ['a path without a type', ingress({}, { pathType: undefined }), /pathType/, /is missing/],
  [
    'a backend of two ports',
    ingress({}, {}, { port: { number: 80, name: 'http' } }),
    /service\.port/,
    /one of name and number/,
  ],
  ['a range that is none', policy({ ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0' } }] }] }), /cidr/, /no range/],
  ['a peer that is nobody', policy({ ingress: [{ from: [{}] }] }), /from/, /has to name/],
  ['ports backwards', policy({ ingress: [{ ports: [{ port: 90, endPort: 80 }] }] }), /endPort/, /less than/],
  ['a backend with a dot', ingress({}, {}, { name: 'a.b' }), /service\.name/, /no name of a Service/],
  ['no paths', ingress({ http: { paths: [] } }), /http\.paths/, /one at least/],
  [
    'a Service that selects by a wild card',
    service({ selector: { app: '*' } }),
    /selector\.app/,
    /no value of a label/,
  ],
  ['a protocol with a blank', service({ ports: [{ port: 80, appProtocol: 'a b' }] }), /appProtocol/, /no name/],
  // Access.
  [
    'a rule without verbs',
    role([{ apiGroups: [''], resources: ['pods'], verbs: [] }]),
    /rules\[0\]\.verbs/,
    /one at least/,
  ],
  ['a rule without a group', role([{ resources: ['pods'], verbs: ['get'] }]), /apiGroups/, /core group/],
  ['a binding to nobody', binding({ kind: 'Nobody', name: 'x' }), /subjects\[0\]\.kind/, /ServiceAccount, User, Group/],
  ['a binding of no role', binding({}, { kind: 'Rule' }), /roleRef\.kind/, /Role, ClusterRole/],
  // Storage.
  ['a claim of nothing', claim({ resources: { requests: { storage: '0' } } }), /storage/, /more than nothing/],
  ['a claim without a mode', claim({ accessModes: [] }), /accessModes/, /one at least/],
  ['a claim of a class with capitals', claim({ storageClassName: 'Fast' }), /storageClassName/, /no name/],
  [
    'a claim in gigabytes',
    stateful({
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10GB' } } },
        },
      ],
    }),
    /storage/,
    /no quantity/,
  ],
  ['a key with a slash', configMap({ 'a/b': 'x' }), /data\.a\/b/, /no key/],
  ['a number for a text', configMap({ a: 1 }), /data\.a/, /put it in quotes/],
  ['more than a megabyte', configMap({ a: long(1_100_000) }), /data/, /takes 1024/],
  [
    'no base64',
    { apiVersion: 'v1', kind: 'Secret', metadata: meta(), data: { a: 'not base64!' } },
    /data\.a/,
    /base64/,
  ],
];

/** Objects that look odd and are accepted. */
export const TAKEN: [what: string, object: Tree][] = [
  ['nothing where nothing is needed', deployment({ paused: null, replicas: null })],
  ['a number as an amount', withContainer({ resources: { limits: { cpu: 2, memory: '1e9' } } })],
  ['a port by its name', withContainer({ readinessProbe: { httpGet: { port: 'http' } } })],
  [
    'two ports of one number',
    withContainer({ ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }] }),
  ],
  ['an empty variable', withContainer({ env: [{ name: 'A' }, { name: 'with.dots-and-dashes', value: '' }] })],
  ['no pods', deployment({ replicas: 0 })],
  ['a quarter more', deployment({ strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } } })],
  ['a schedule with names', cronJob({ schedule: '*/5 0-6,22 * JAN-jun mon-FRI', timeZone: 'Europe/Berlin' })],
  ['every hour', cronJob({ schedule: '@hourly' })],
  ['a headless Service without ports', service({ clusterIP: 'None', ports: [] })],
  ['any host', ingress({ host: '*.odd.example' })],
  ['everybody', policy({ ingress: [{}], policyTypes: ['Ingress'] })],
  ['an empty value of a label', deployment({}, { labels: { a: '' } })],
  [
    'a role with a colon',
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: meta({ name: 'system:Odd' }), rules: [] },
  ],
  [
    'octal modes',
    withPod({
      volumes: [
        { name: 'a', secret: { secretName: 'x', defaultMode: 0o440, items: [{ key: 'k', path: 'p', mode: 0 }] } },
      ],
    }),
  ],
];
