/** Every kind that a chart renders can be applied by the deployer, in its namespace, and nobody has a wildcard. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type AccessBasis, IDENTITIES, identityOf } from '../../src/plan/access/identities.ts';
import { broughtKinds, kindKeyOf, OWN_KINDS } from '../../src/plan/access/kinds.ts';
import { accessObjects } from '../../src/plan/access/manifests.ts';
import { grants, rulesOf } from '../../src/plan/access/rules.ts';
import { platformInputs } from '../../src/plan/inputs/platform-inputs.ts';
import { accessBasis } from '../../src/cli/rbac/rendered.ts';
import { catalog, config, helmBinary, sandbox } from './helm.ts';

describe('rights of the identities, from all charts', () => {
  let basis: AccessBasis;
  before(async () => {
    const environment = await sandbox();
    const inputs = platformInputs(catalog, environment, config);
    basis = await accessBasis({ catalog, environment, inputs }, await helmBinary(), config);
  });

  test('every rendered object may be applied and taken away by the deployer', () => {
    assert.ok(basis.releases.length >= catalog.services.length);
    const brought = broughtKinds(basis.releases.flatMap(({ objects }) => objects));
    const { cluster, namespaced } = identityOf('deployer', basis);
    const [everywhere, within] = [
      rulesOf(cluster),
      new Map([...namespaced].map(([namespace, rights]) => [namespace, rulesOf(rights)])),
    ];
    for (const { name: release, namespace, objects } of basis.releases) {
      for (const object of objects) {
        const kind =
          OWN_KINDS.get(kindKeyOf(object.apiVersion, object.kind)) ??
          brought.get(kindKeyOf(object.apiVersion, object.kind));
        assert.ok(kind, object.kind);
        const rules = kind.namespaced ? (within.get(object.namespace ?? namespace) ?? []) : everywhere;
        for (const verb of ['get', 'create', 'patch', 'delete']) {
          assert.ok(
            grants(rules, { verb, group: kind.group, resource: kind.resource, name: object.name }),
            `${verb} ${object.kind} ${object.name} of ${release}`,
          );
        }
      }
    }
  });

  test('no wildcard anywhere, and no identity has rights outside of the namespaces it works in', () => {
    const known = new Set([...basis.namespaces, 'ananta-system', 'ananta-deployer']);
    for (const name of IDENTITIES) {
      const objects = accessObjects(identityOf(name, basis));
      assert.doesNotMatch(JSON.stringify(objects), /"\*"/, name);
      for (const {
        object: { metadata },
      } of objects)
        assert.ok(metadata.namespace === undefined || known.has(metadata.namespace), metadata.namespace);
    }
  });
});
