import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fitsPattern, type Path, pathText, pointerOf, valueAtPath } from '../../../src/plan/fields/path.ts';

const env: Path = [
  'spec',
  'template',
  'spec',
  'containers',
  { keys: { name: 'app' } },
  'env',
  { keys: { name: 'X' } },
  'value',
];
const pod = {
  spec: { template: { spec: { containers: [{ name: 'side' }, { name: 'app', env: [{ name: 'X', value: '1' }] }] } } },
};

describe('places in an object', () => {
  test('are written as server-side apply tells list entries apart', () => {
    assert.equal(pathText(env), 'spec.template.spec.containers[name=app].env[name=X].value');
    assert.equal(
      pathText(['spec', 'ports', { keys: { port: 80, protocol: 'TCP' } }]),
      'spec.ports[port=80,protocol=TCP]',
    );
    assert.equal(
      pathText(['metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt']),
      'metadata.annotations[kubectl.kubernetes.io/restartedAt]',
    );
    assert.equal(pathText(['metadata', 'finalizers', { value: 'x/y' }]), 'metadata.finalizers[=x/y]');
  });

  test('are found in the object, and pointed at for a patch', () => {
    assert.equal(valueAtPath(pod, env), '1');
    assert.equal(pointerOf(pod, env), '/spec/template/spec/containers/1/env/0/value');
    assert.equal(
      pointerOf({ metadata: { labels: { 'a/b~c': 'x' } } }, ['metadata', 'labels', 'a/b~c']),
      '/metadata/labels/a~1b~0c',
    );
    assert.equal(pointerOf(pod, ['spec', 'nothing']), undefined);
    assert.equal(
      valueAtPath({ ports: [{ port: 80 }] }, ['ports', { keys: { port: 80, protocol: 'TCP' } }, 'port']),
      80,
      'a protocol that is not named is TCP',
    );
  });

  for (const [pattern, fits] of [
    ['spec.template.spec.containers[name=app].env[name=X].value', true],
    ['spec.template.spec.containers[*].env[*].value', true],
    ['spec.template.spec.containers.*.env.*.value', true],
    ['spec.template.**', true],
    ['spec.*', false],
    ['spec', false],
    ['spec.template.spec.containers[name=other].**', false],
  ] as const) {
    test(`pattern ${pattern} ${fits ? 'fits' : 'does not fit'}`, () => {
      assert.equal(fitsPattern(pattern, env), fits);
    });
  }
});
