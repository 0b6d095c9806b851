import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api, type ApiObject, pathOf } from '../../bootstrap/cluster/api.ts';
import { applyContents, contentsOf, execCommands, tcpServices } from '../../bootstrap/cluster/contents.ts';
import { kwokctlConfiguration } from '../../bootstrap/cluster/config.ts';
import type { ClusterTools } from '../../bootstrap/cluster/config.ts';
import { failureStages } from '../../bootstrap/cluster/failures.ts';
import { clusterObjects } from '../../bootstrap/cluster/objects.ts';
import { layoutOf } from '../../bootstrap/layout.ts';
import { readConfig } from '../../src/config.ts';
import { allReleases } from '../../src/plan/releases.ts';
import { startupSeconds } from '../../src/plan/inputs/startup.ts';
import { miniCatalog, miniEnvironment } from '../support/mini.ts';

interface Stage {
  metadata: { name: string };
  spec: {
    weight: number;
    selector: { matchExpressions: { key: string }[] };
    steps: { patch?: { template: string } }[];
  };
}

const catalog = await miniCatalog();
const config = readConfig();
const environment = await miniEnvironment();
const ports = {
  responder: 1,
  'responder-kubelet': 2,
  'responder-tcp-worker': 3,
  vault: 4,
  etcd: 5,
  'etcd-peer': 6,
  'kube-apiserver': 7,
  'kube-controller-manager': 8,
  'kube-scheduler': 9,
  'kwok-controller': 10,
};
const contents = contentsOf(catalog, environment, ports);
const objects = clusterObjects(contents);
const named = (name: string): Stage =>
  objects.find(({ metadata, kind }) => kind === 'Stage' && metadata.name === name) as unknown as Stage;

describe('what an embedded cluster holds', () => {
  test('a start-up time for every release, as critical paths are computed with', () => {
    const template = named('pod-start').spec.steps[0]!.patch!.template;
    for (const release of allReleases(catalog).filter(({ kind }) => kind === 'release')) {
      const seconds = startupSeconds(environment, release.name, release.startupSeconds);
      // The end of a Job is noticed a second later than its pod's.
      const expected = release.job ? Math.max(seconds - 1, 0) : seconds;
      assert.ok(template.includes(`"${release.name}" "${expected.toFixed(3)}s"`), release.name);
    }
    assert.equal(contents.startupSeconds['vault-init'], undefined);
  });

  test('ordinary stages of pods weigh nothing, so that a failure is always chosen before them', () => {
    for (const object of objects.filter(({ kind }) => kind === 'Stage'))
      assert.equal((object as unknown as Stage).spec.weight, 0, object.metadata.name);
    for (const stage of failureStages('auth', 'crash-loop')) assert.equal((stage as unknown as Stage).spec.weight, 1);
  });

  test('nodes that take every chart', () => {
    const nodes = objects.filter(({ kind }) => kind === 'Node');
    assert.equal(nodes.length, 3);
    for (const node of nodes) {
      const { allocatable } = node['status'] as { allocatable: Record<string, string> };
      assert.deepEqual([allocatable['pods'], 'ephemeral-storage' in allocatable], ['500', true]);
    }
  });

  test('ways into pods: Vault to the real one, plain connections to their own port, everything else to the responder', () => {
    const forward = objects.find(({ kind }) => kind === 'ClusterPortForward')!['spec'];
    assert.deepEqual(forward, {
      forwards: [
        { ports: [8200], target: { address: '127.0.0.1', port: 4 } },
        { ports: [8081], target: { address: '127.0.0.1', port: 3 } },
        { target: { address: '127.0.0.1', port: 1 } },
      ],
    });
    assert.deepEqual(tcpServices(catalog), [{ service: 'worker', containerPort: 8081 }]);
  });

  test('exactly the declared commands may be executed', () => {
    const policy = objects.find(({ kind }) => kind === 'ValidatingAdmissionPolicy')!['spec'] as {
      validations: { expression: string }[];
    };
    const allowed = policy.validations[0]!.expression;
    for (const command of execCommands(catalog)) assert.ok(allowed.includes(JSON.stringify(command)));
    assert.equal(
      objects.some(({ kind }) => kind === 'ClusterExec'),
      false,
    );
  });

  test('the same for the same catalog and environment', () => {
    assert.deepEqual(clusterObjects(contentsOf(catalog, environment, ports)), objects);
  });
});

describe('kwokctl', () => {
  const tool = (name: string): unknown => ({ name, version: '1', path: `/tools/${name}` });
  const tools = Object.fromEntries(
    ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwokctl', 'kwok', 'kubectl'].map(
      (name) => [name, tool(name)],
    ),
  ) as unknown as ClusterTools;

  test('binds to loopback, uses our ports and programs, and downloads nothing', () => {
    const { options } = kwokctlConfiguration(layoutOf(config, 'x'), tools, ports) as {
      options: Record<string, unknown>;
    };
    assert.equal(options['bindAddress'], '127.0.0.1');
    assert.equal(options['runtime'], 'binary');
    for (const [option, value] of Object.entries(options)) {
      if (option.endsWith('Binary')) assert.match(String(value), /^\/tools\//);
      if (option.endsWith('Port')) assert.ok(Number(value) > 0);
    }
  });
});

describe('what somebody has deleted of an embedded cluster', () => {
  /** An API server that keeps what is written to it. */
  function fakeApi(): { api: Api; there: Map<string, ApiObject>; applied: string[] } {
    const there = new Map<string, ApiObject>();
    const applied: string[] = [];
    const api: Api = {
      request: (method, path) => {
        const [list = ''] = path.split('?');
        if (method === 'GET')
          return Promise.resolve({ items: [...there].filter(([at]) => at.startsWith(`${list}/`)).map(([, it]) => it) });
        assert.ok(there.has(list.replace(/\/status$/, '')), `404 ${path}`);
        return Promise.resolve({});
      },
      apply: (object) => {
        there.set(pathOf(object), object);
        applied.push(`${object.kind}/${object.metadata.name}`);
        return Promise.resolve();
      },
      remove: (object) => {
        there.delete(pathOf(object));
        return Promise.resolve();
      },
      close: () => undefined,
    };
    return { api, there, applied };
  }

  test('nodes are made again by the next up, all or one; where nothing is missing nothing is applied', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ananta-contents-'));
    try {
      const layout = layoutOf({ ...config, stateRoot: folder }, environment.name);
      await mkdir(layout.cluster, { recursive: true });
      const { api, there, applied } = fakeApi();
      const nodes = (): string[] => [...there.keys()].filter((path) => path.startsWith('/api/v1/nodes/'));
      assert.equal(await applyContents(layout, api, contents, true), true);
      const made = nodes();
      assert.equal(made.length, contents.nodes);
      for (const deleted of [made, made.slice(1, 2)]) {
        applied.length = 0;
        assert.deepEqual([await applyContents(layout, api, contents, false), applied], [false, []]);
        for (const path of deleted) there.delete(path);
        assert.equal(await applyContents(layout, api, contents, false), true);
        assert.deepEqual(nodes().sort(), made.sort());
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
