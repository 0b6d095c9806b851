import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OWNER_LABEL } from '../../src/contract/names.ts';
import { wantedSecrets } from '../../src/plan/vault/kubernetes-secrets.ts';
import { goldenObjects, type GoldenSet, type KubernetesObject } from './golden.ts';
import { catalog } from './helm.ts';
import { containersOf, houseViolations, podTemplate, restrictedViolations } from './pods.ts';

const releases = [...goldenObjects('helm'), ...goldenObjects('helm-replicated')];
const pods = releases.flatMap(({ release, objects }) =>
  objects.flatMap((object) => {
    const template = podTemplate(object);
    return template
      ? [{ release, object, name: `${release.name}: ${object.kind} ${object.metadata.name}`, template }]
      : [];
  }),
);

/** Objects without a namespace, and the releases that bring them. */
const CLUSTER_SCOPED = [
  'ClusterRole',
  'ClusterRoleBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
];
/** Releases whose pods talk to the API server. */
const WITH_TOKEN = [
  'argocd-server',
  'argocd-application-controller',
  'argocd-applicationset-controller',
  'cloudnative-pg',
];
/** Images whose programs write into their own folders at the start; the values of each say so. */
const WRITABLE_ROOT = ['keycloak', 'novu-web', 'temporal-ui'];

describe('every pod', () => {
  test('is within Pod Security "restricted"', () => {
    assert.ok(pods.length > 55);
    assert.deepEqual(
      pods.flatMap(({ name, template }) =>
        restrictedViolations(template.spec).map((violation) => `${name} ${violation}`),
      ),
      [],
    );
  });

  test('keeps the rules of the house', () => {
    assert.deepEqual(
      pods.flatMap(({ name, template }) => houseViolations(template.spec).map((violation) => `${name} ${violation}`)),
      [],
    );
  });

  test('has a read-only root but where its image forbids it', () => {
    const writable = pods.filter(({ template }) =>
      containersOf(template.spec).some((container) => container.securityContext?.readOnlyRootFilesystem !== true),
    );
    assert.deepEqual([...new Set(writable.map(({ object }) => object.metadata.name))].sort(), WRITABLE_ROOT);
  });

  test('gets a token for the API server only where it talks to it', () => {
    const with_ = pods.filter(({ template }) => template.spec.automountServiceAccountToken !== false);
    assert.deepEqual([...new Set(with_.map(({ object }) => object.metadata.name))].sort(), WITH_TOKEN.toSorted());
  });

  test('carries the name of its release', () => {
    for (const { name, release, template } of pods) {
      assert.equal(template.metadata.labels['app.kubernetes.io/instance'], release.name, name);
      assert.equal(template.metadata.labels['app.kubernetes.io/name'], release.chart, name);
    }
  });

  test('expands only variables that stand further up', () => {
    for (const { name, template } of pods) {
      for (const container of containersOf(template.spec)) {
        const known = new Set<string>();
        for (const variable of container.env ?? []) {
          for (const [, used] of (variable.value ?? '').matchAll(/\$\(([A-Z_a-z0-9]+)\)/g)) {
            assert.ok(
              known.has(used ?? ''),
              `${name}: ${variable.name} uses $(${used}), which is not defined before it`,
            );
          }
          known.add(variable.name);
        }
      }
    }
  });
});

describe('the owner label', () => {
  const environments: [GoldenSet, string][] = [
    ['helm', 'sandbox'],
    ['helm-replicated', 'staging'],
    ['helm-guarded', 'prod'],
  ];
  for (const [set, environment] of environments) {
    test(`${environment}: is on every object, and on nothing that a pod or an immutable field is made from`, () => {
      const objects = goldenObjects(set).flatMap((release) => release.objects);
      assert.ok(objects.length > 10);
      for (const { kind, metadata, ...rest } of objects) {
        const name = `${kind} ${metadata.name}`;
        assert.equal(metadata.labels?.[OWNER_LABEL], environment, name);
        const elsewhere = { annotations: metadata.annotations, rest };
        assert.ok(!JSON.stringify(elsewhere).includes(OWNER_LABEL), `${name} has it beside its own labels`);
      }
    });
  }
});

describe('secrets', () => {
  test('are in no rendered object', () => {
    const literal = pods.flatMap(({ name, template }) =>
      containersOf(template.spec).flatMap((container) =>
        (container.env ?? [])
          .filter(
            (variable) =>
              /PASSW|SECRET|TOKEN|_KEY$|CREDENTIAL|COOKIE/.test(variable.name) &&
              !/_FILE$/.test(variable.name) &&
              variable.value !== undefined,
          )
          .map((variable) => `${name}: ${variable.name}`),
      ),
    );
    assert.deepEqual(literal, []);
    assert.deepEqual(
      releases.flatMap(({ objects }) => objects.filter(({ kind }) => kind === 'Secret')),
      [],
    );
  });

  test('that pods refer to are made from Vault, with these keys', () => {
    const wanted = new Map(wantedSecrets(catalog).map(({ namespace, name, keys }) => [`${namespace}/${name}`, keys]));
    for (const { name, release, template } of pods) {
      for (const { valueFrom } of containersOf(template.spec).flatMap(({ env }) => env ?? [])) {
        const reference = valueFrom?.secretKeyRef;
        if (reference === undefined) continue;
        const keys = wanted.get(`${release.namespace}/${reference.name}`);
        assert.ok(
          keys?.includes(reference.key),
          `${name}: no key ${reference.key} in ${release.namespace}/${reference.name}`,
        );
      }
    }
  });

  test('are declared by the release that refers to them', () => {
    for (const { name, release, template } of pods) {
      const declared = release.secrets
        .filter(({ delivery }) => delivery === 'kubernetes')
        .flatMap(({ path, keys }) => {
          const all =
            catalog.secretPaths.find((candidate) => candidate.path === path)?.keys.map((key) => key.name) ?? [];
          return (keys ?? all).map((key) => `vault-${path.replaceAll('/', '-')} ${key}`);
        });
      for (const { valueFrom } of containersOf(template.spec).flatMap(({ env }) => env ?? [])) {
        if (valueFrom?.secretKeyRef)
          assert.ok(
            declared.includes(`${valueFrom.secretKeyRef.name} ${valueFrom.secretKeyRef.key}`),
            `${name}: the catalog says nothing of ${valueFrom.secretKeyRef.name} ${valueFrom.secretKeyRef.key}`,
          );
      }
    }
  });
});

describe('objects', () => {
  const all = releases.flatMap(({ release, objects }) =>
    objects.map((object) => ({ release, object, name: `${release.name}: ${object.kind} ${object.metadata.name}` })),
  );

  test('are in the namespace of their release', () => {
    for (const { release, object, name } of all) {
      if (CLUSTER_SCOPED.includes(object.kind))
        assert.ok(['argocd', 'cloudnative-pg', 'vault'].includes(release.name), name);
      else assert.equal(object.metadata.namespace, release.namespace, name);
    }
  });

  test('carry the labels that everybody looks for', () => {
    for (const { release, object, name } of all) {
      assert.equal(object.metadata.labels?.['app.kubernetes.io/instance'], release.name, name);
      assert.equal(object.metadata.labels['app.kubernetes.io/managed-by'], 'Helm', name);
    }
  });

  test('expose the NodePorts of the platform, and no others', () => {
    const ports = goldenObjects('helm').flatMap(({ release, objects }) =>
      objects
        .filter(({ kind }) => kind === 'Service')
        .flatMap((service) =>
          nodePorts(service).map(({ port, nodePort }) => [nodePort, `${release.name}:${port}`] as const),
        ),
    );
    assert.deepEqual(Object.fromEntries(ports), {
      31021: 'temporal-ui:8080',
      31041: 'app-plane-minio:9001',
      31060: 'directus:8055',
      31100: 'customer-portal:80',
      31180: 'keycloak:8080',
      31200: 'cns-service:8000',
      31250: 'cns-dashboard:80',
      31400: 'tenant-management-service:14000',
      31555: 'admin-app:80',
      31673: 'rabbitmq:15672',
      31800: 'supabase-studio:3000',
      31810: 'supabase-api:3000',
    });
  });

  test('have a NetworkPolicy for every workload', () => {
    for (const { release, objects } of releases) {
      const selectors = objects
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .map(({ spec }) => JSON.stringify((spec as { podSelector: { matchLabels: unknown } }).podSelector.matchLabels));
      for (const object of objects) {
        const template = podTemplate(object);
        if (template === undefined) continue;
        const { 'app.kubernetes.io/part-of': _, ...labels } = template.metadata.labels;
        assert.ok(
          selectors.includes(JSON.stringify(labels)),
          `${release.name}: ${object.kind} ${object.metadata.name} has no NetworkPolicy`,
        );
      }
    }
  });

  test('have a disruption budget from two replicas on', () => {
    for (const { release, objects } of releases) {
      for (const { kind, metadata, spec } of objects) {
        if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
        const budgets = objects.filter(
          (object) => object.kind === 'PodDisruptionBudget' && object.metadata.name === metadata.name,
        );
        assert.equal(budgets.length, Number(spec?.['replicas']) > 1 ? 1 : 0, `${release.name}: ${metadata.name}`);
      }
    }
  });

  test('name the Service of a release like the release', () => {
    for (const { release, objects } of releases) {
      const service = catalog.services.find(({ name }) => name === release.name);
      if (!service || service.ports.length === 0) continue;
      // Argo CD's is called as its publisher's chart calls it.
      const name = release.name === 'argocd' ? 'argocd-server' : release.name;
      const found = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name);
      const ports = ((found?.spec?.['ports'] ?? []) as { port: number }[]).map(({ port }) => port);
      assert.deepEqual(
        ports,
        service.ports.map(({ port }) => port),
        release.name,
      );
    }
  });
});

function nodePorts(service: KubernetesObject): { port: number; nodePort: number }[] {
  return ((service.spec?.['ports'] ?? []) as { port: number; nodePort?: number }[]).flatMap(({ port, nodePort }) =>
    nodePort === undefined ? [] : [{ port, nodePort }],
  );
}
