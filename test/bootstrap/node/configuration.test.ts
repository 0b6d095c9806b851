import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { kwokctlConfiguration } from '../../../bootstrap/cluster/config.ts';
import {
  cniConfig,
  containerdConfig,
  corefile,
  kubeletConfig,
  proxyConfig,
} from '../../../bootstrap/node/configuration.ts';
import { nodeLayout } from '../../../bootstrap/node/layout.ts';
import { nodeNetwork } from '../../../bootstrap/node/network.ts';
import { nodeObjects } from '../../../bootstrap/node/objects.ts';
import { pauseProgram } from '../../../bootstrap/node/pause.ts';
import { NodePreflightError, nodeRequirements } from '../../../bootstrap/node/preflight.ts';
import { layoutOf } from '../../../bootstrap/index.ts';
import { readConfig } from '../../../src/config.ts';
import { realServices } from '../../../src/environment/real-node.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const config = readConfig({});
const layout = layoutOf(config, 'x');
const node = nodeLayout(layout);
const network = nodeNetwork('10.231.0.0/16');

const clusterTools = Object.fromEntries(
  ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwokctl', 'kwok', 'kubectl'].map((name) => [
    name,
    { path: `/${name}` },
  ]),
) as never;

describe("configuration of a real node's programs", () => {
  test('containerd: its own pause image, no lowered scores, no handles in the machine’s /run/netns', () => {
    const text = containerdConfig(node, '/usr/lib/cni');
    for (const line of [
      'restrict_oom_score_adj = true',
      'netns_mounts_under_state_dir = true',
      'sandbox_image = "ananta.invalid/pause:1"',
      'bin_dir = "/usr/lib/cni"',
    ])
      assert.ok(text.includes(line), line);
  });

  test('kubelet: reached at the node, nobody unknown let in, imported images never collected', () => {
    const kubelet = kubeletConfig(node, network, '/ca.crt') as Record<string, unknown> & {
      authentication: { anonymous: { enabled: boolean } };
    };
    assert.equal(kubelet['address'], '10.231.0.2');
    assert.equal(kubelet.authentication.anonymous.enabled, false);
    assert.equal(kubelet['imageGCHighThresholdPercent'], 100);
    assert.deepEqual(kubelet['clusterDNS'], ['10.96.0.10']);
  });

  test('kube-proxy leaves the machine’s limits alone', () => {
    assert.deepEqual(proxyConfig(node, network)['conntrack'], { maxPerCore: 0, min: 0 });
  });

  test('pods get addresses of the upper half', () => {
    assert.match(JSON.stringify(cniConfig(network)), /"subnet":"10\.231\.128\.0\/17"/);
  });

  test('names beyond the cluster are forwarded only where there is a way out', () => {
    assert.doesNotMatch(corefile(node, network, []), /forward/);
    assert.match(corefile(node, network, ['192.0.2.53']), /forward \. 192\.0\.2\.53/);
  });

  test('the pause program is an ELF file of this size', () => {
    for (const [architecture, machine] of [
      ['amd64', 62],
      ['arm64', 183],
    ] as const) {
      const elf = pauseProgram(architecture);
      assert.equal(elf.subarray(0, 4).toString('latin1'), '\x7fELF');
      assert.equal(elf.readUInt16LE(18), machine);
      assert.equal(elf.readBigUInt64LE(96), BigInt(elf.length));
    }
  });

  test('Services get 65,534 addresses; a cluster that was made with 254 keeps those', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-'));
    const at = { ...layout, cluster: folder };
    const made = (): string => JSON.stringify(kwokctlConfiguration(at, clusterTools, {}));
    const wide = /"key":"service-cluster-ip-range","value":"10\.96\.0\.0\/16"/;
    try {
      assert.match(made(), wide);
      await writeFile(join(folder, 'kwokctl.json'), made());
      assert.match(made(), wide);
      await writeFile(join(folder, 'kwokctl.json'), '{"componentsPatches": []}');
      assert.doesNotMatch(made(), /service-cluster-ip-range/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('without a real node the cluster is made as before', () => {
    assert.doesNotMatch(
      JSON.stringify(kwokctlConfiguration(layout, clusterTools, {})),
      /advertise-address|manage-all-nodes|MutatingAdmissionPolicy/,
    );
    assert.match(
      JSON.stringify(kwokctlConfiguration(layout, clusterTools, {}, network)),
      /"advertise-address","value":"10\.231\.0\.1"/,
    );
    assert.match(
      JSON.stringify(kwokctlConfiguration(layout, clusterTools, {}, network)),
      /"key":"manage-all-nodes","value":"false","override":true/,
    );
  });
});

describe('which pods are real', () => {
  test('public: those without an image of the platform’s own; the policy names their releases, steps included', async () => {
    const catalog = await miniCatalog();
    const environment = await miniEnvironment('node');
    const real = realServices(environment, catalog);
    assert.ok(real.includes('vault') && real.includes('auth') && real.includes('database'));
    assert.ok(!real.includes('api') && !real.includes('web'));
    assert.deepEqual(realServices(await miniEnvironment(), catalog), []);
  });

  test('all, a list, and exceptions', async () => {
    const catalog = await miniCatalog();
    const of = (services: 'all' | string[], except: string[]): string[] =>
      realServices({ cluster: { embedded: { nodes: 3, realNode: { services, except, egress: false } } } }, catalog);
    assert.equal(of('all', []).length, catalog.services.length);
    assert.equal(of('all', ['vault']).length, catalog.services.length - 1);
    assert.deepEqual(of(['vault', 'auth'], ['auth']), ['vault']);
  });

  test('a pod of another release is left alone', () => {
    const policy = nodeObjects(network, ['b', 'a']).find(
      ({ kind, metadata }) => kind === 'MutatingAdmissionPolicy' && metadata.name.startsWith('real-pods'),
    ) as unknown as { spec: { matchConditions: { expression: string }[] } };
    assert.match(policy.spec.matchConditions[0]!.expression, /in \["a","b"\]$/);
  });
});

describe('what the machine needs', () => {
  test('what is missing is named with its purpose and what to do', () => {
    const { message } = new NodePreflightError([
      { name: 'containerd', ok: false, purpose: 'runs the pods', remedy: 'apt-get install containerd' },
    ]);
    assert.match(message, /containerd \(runs the pods\): apt-get install containerd/);
  });

  test('every requirement says what it is for', async () => {
    for (const { name, purpose, remedy } of await nodeRequirements()) assert.ok(purpose !== '' && remedy !== '', name);
  });
});
