// The texts are Helm 4.3's and the API server's own, as they came out in trials.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classifyHelmOutput } from '../../../src/clients/helm/index.ts';

const CASES: [string, string, string, RegExp][] = [
  [
    "somebody's object in the way",
    'RejectedByCluster',
    'Error: UPGRADE FAILED: unable to continue with update: Service "web" in namespace "apps" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "web"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "apps"',
    /^Service web in apps is not of this release and cannot be imported into it\..*\n {2}kubectl --namespace apps label service web .*\n {2}kubectl --namespace apps annotate service web .*release-name=web meta.helm.sh\/release-namespace=apps$/,
  ],
  [
    'busy',
    'ReleaseBusy',
    'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
    /^another Helm operation on this release/,
  ],
  [
    'two first installs',
    'ReleaseBusy',
    'Release "x" does not exist. Installing it now.\nError: create: failed to create: release: already exists',
    /another Helm operation/,
  ],
  [
    'template',
    'ChartInvalid',
    'Release "bad" does not exist. Installing it now.\nError: small/templates/all.yaml:1:10\n  executing "small/templates/all.yaml" at <.Values.nothing.here>:\n    nil pointer evaluating interface {}.here\n',
    /^small\/templates.*nil pointer/s,
  ],
  [
    'YAML',
    'ChartInvalid',
    'Error: YAML parse error on small/templates/all.yaml: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context',
    /^YAML parse error/,
  ],
  [
    'schema',
    'ChartInvalid',
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nsmall:\n- at '/replicas': got number, want string\n",
    /at '\/replicas'/,
  ],
  ['no chart', 'ChartInvalid', 'Error: path "./nochart" not found', /nochart/],
  [
    'kind unknown',
    'ChartInvalid',
    'Error: unable to build kubernetes objects from release manifest: resource mapping not found for name: "x" namespace: "" from "": no matches for kind "Foo" in version "foo.example/v1"\nensure CRDs are installed first',
    /no matches for kind "Foo"/,
  ],
  [
    'unknown field',
    'RejectedByCluster',
    'Error: server-side apply failed for object t1/x /v1, Kind=ConfigMap: failed to create typed patch object (t1/x; /v1, Kind=ConfigMap): .dota: field not declared in schema',
    /\.dota/,
  ],
  [
    'invalid value',
    'RejectedByCluster',
    'Error: server-side apply failed for object t1/svc /v1, Kind=Service: Service "svc" is invalid: spec.ports[0].nodePort: Invalid value: 99: provided port is not in the valid range.',
    /nodePort/,
  ],
  [
    'etcd gone in the middle',
    'Unreachable',
    'Error: server-side apply failed for object t1/svc /v1, Kind=Service: Service "svc" is invalid: spec.clusterIPs: Invalid value: [""]: failed to allocate IP: rpc error: code = Unavailable desc = error reading from server: read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer',
    /Unavailable/,
  ],
  [
    "somebody else's object",
    'RejectedByCluster',
    'Error: unable to continue with install: ConfigMap "one" in namespace "t1" exists and cannot be imported into the current release: invalid ownership metadata',
    /cannot be imported/,
  ],
  ['no namespace', 'RejectedByCluster', 'Error: create: failed to create: namespaces "nons" not found', /nons/],
  [
    'quota',
    'RejectedByCluster',
    'Error: server-side apply failed for object t1/npsvc /v1, Kind=Service: services "npsvc" is forbidden: exceeded quota: q, requested: services.nodeports=1',
    /exceeded quota: q/,
  ],
  [
    'pod security',
    'RejectedByCluster',
    'Error: server-side apply failed for object t1/px /v1, Kind=Pod: pods "px" is forbidden: violates PodSecurity "restricted:latest": privileged',
    /violates PodSecurity/,
  ],
  [
    'policy',
    'RejectedByCluster',
    "Error: server-side apply failed for object t1/no-x /v1, Kind=ConfigMap: configmaps \"no-x\" is forbidden: ValidatingAdmissionPolicy 'vap' with binding 'vap' denied request: names with no- are refused",
    /denied request/,
  ],
  [
    'too large',
    'RejectedByCluster',
    'Error: create: failed to create: Request entity too large: limit is 3145728',
    /too large/,
  ],
  [
    'no Service address is left',
    'RejectedByCluster',
    'Error: server-side apply failed for object t1/x2 /v1, Kind=Service: Internal error occurred: failed to allocate a serviceIP: range is full',
    /^the cluster's range of Service addresses is full\. .*ServiceCIDR/,
  ],
  [
    'no NodePort is left',
    'RejectedByCluster',
    'Error: server-side apply failed for object t1/x2 /v1, Kind=Service: Internal error occurred: failed to allocate a nodePort: range is full',
    /^the cluster's range of NodePorts is full/,
  ],
  [
    'webhook down',
    'WebhookFailed',
    'Error: server-side apply failed for object t1/x2 /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook "down.example.com": failed to call webhook: Post "https://127.0.0.1:9/x?timeout=10s": dial tcp 127.0.0.1:9: connect: connection refused',
    /^the admission webhook "down.example.com" cannot be called/,
  ],
  [
    'a right is missing',
    'Forbidden',
    'Error: unable to continue with install: could not get information about the resource ConfigMap "zz" in namespace "t1": configmaps "zz" is forbidden: User "system:serviceaccount:t1:low" cannot get resource "configmaps" in API group "" in the namespace "t1"',
    /^system:serviceaccount:t1:low may not get configmaps in the namespace "t1"/,
  ],
  [
    'a right on the cluster is missing',
    'Forbidden',
    'Error: query: clusterroles is forbidden: User "x" cannot list resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope',
    /^x may not list clusterroles\.rbac\.authorization\.k8s\.io at the cluster scope/,
  ],
  [
    'conflict',
    'FieldConflict',
    'level=WARN msg="upgrade failed" name=one error="conflict"\nError: UPGRADE FAILED: conflict occurred while applying object t1/one apps/v1, Kind=Deployment: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
    /t1\/one apps\/v1, Kind=Deployment: \.spec\.replicas is owned by "kubectl"/,
  ],
  [
    'conflicts',
    'FieldConflict',
    'Error: UPGRADE FAILED: conflict occurred while applying object t1/one apps/v1, Kind=Deployment: Apply failed with 2 conflicts: conflicts with "kubectl-edit" using apps/v1:\n- .spec.replicas\n- .spec.paused\nconflicts with "other" using apps/v1:\n- .spec.x',
    /\.spec\.replicas \.spec\.paused is owned by "kubectl-edit"; \.spec\.x is owned by "other"/,
  ],
  [
    'immutable selector',
    'ImmutableField',
    'Error: UPGRADE FAILED: server-side apply failed for object t1/two apps/v1, Kind=Deployment: Deployment.apps "two" is invalid: spec.selector: Invalid value: {"matchLabels":{"x":"two"}}: field is immutable',
    /nothing is deleted.*spec\.selector: field is immutable$/,
  ],
  [
    'immutable Job template',
    'ImmutableField',
    `Error: UPGRADE FAILED: server-side apply failed for object t1/j batch/v1, Kind=Job: Job.batch "j" is invalid: spec.template: Invalid value: {"Env":"${'x'.repeat(5000)}"}: field is immutable`,
    /spec\.template: field is immutable$/,
  ],
  [
    'StatefulSet',
    'ImmutableField',
    'Error: UPGRADE FAILED: cannot patch "x": StatefulSet.apps "x" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\', \'ordinals\' are forbidden',
    /updates to statefulset spec/,
  ],
  [
    'API server away',
    'Unreachable',
    'Error: kubernetes cluster unreachable: Get "https://127.0.0.1:1/version": dial tcp 127.0.0.1:1: connect: connection refused',
    /cluster unreachable/,
  ],
  [
    'etcd full',
    'Unreachable',
    'Error: create: failed to create: etcdserver: mvcc: database space exceeded',
    /space exceeded/,
  ],
  [
    'etcd full in the middle',
    'Unreachable',
    'Error: server-side apply failed for object data/storage /v1, Kind=Service: Service "storage" is invalid: spec.clusterIPs: Invalid value: [""]: failed to allocate IP: etcdserver: mvcc: database space exceeded\nserver-side apply failed for object data/storage apps/v1, Kind=StatefulSet: etcdserver: mvcc: database space exceeded',
    /space exceeded/,
  ],
  ['token ran out', 'Unreachable', 'Error: query: failed to query with labels: Unauthorized', /Unauthorized/],
  [
    'hook in time',
    'HelmInterrupted',
    'Error: failed post-install: resource Job/t1/hk not ready. status: InProgress, message: Job in progress\ncontext deadline exceeded',
    /not ready/,
  ],
  [
    'hook failed',
    'JobFailed',
    'Error: failed post-install: resource Job/t1/hk not ready. status: Failed, message: Job Failed. failed: 1/1',
    /Job Failed/,
  ],
  ['asked to end', 'HelmInterrupted', 'Release l has been cancelled.\nError: context canceled', /context canceled/],
  [
    'namespace ends',
    'HelmInterrupted',
    'Error: create: failed to create: secrets "x" is forbidden: unable to create new content in namespace t1 because it is being terminated',
    /being terminated/,
  ],
  ['never seen', 'Unexpected', 'Error: something else', /^something else$/],
  ['nothing', 'Unexpected', '', /without a word/],
];

describe('what Helm says', () => {
  for (const [name, type, output, message] of CASES) {
    test(name, () => {
      const classified = classifyHelmOutput(output);
      assert.equal(classified.type, type, classified.message);
      assert.match(classified.message, message);
      assert.ok(classified.message.length < 1400);
    });
  }

  test('a long text is cut and says so', () => {
    assert.match(
      classifyHelmOutput(`Error: ${'y'.repeat(3000)}`).message,
      /… \(3000 characters, all of them in Helm's log\)$/,
    );
  });
});
