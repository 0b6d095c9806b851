/** The cluster of the environment `local`, with programs in the place of Docker, podman and kind. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { deleteKind, stopKind, upKind } from '../../bootstrap/kind/index.ts';
import { kindConfiguration, nodePorts, unmapped } from '../../bootstrap/kind/config.ts';
import type { LocalStackEvent } from '../../bootstrap/report.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { type FakeKind, fakeKind } from '../support/fakes/kind.ts';
import { miniCatalog } from '../support/mini.ts';
import { workspace } from '../cli/run-cli.ts';

const mini = await miniCatalog();
/** Each port is a NodePort. */
const catalog = {
  ...mini,
  services: mini.services.map(({ ports, ...service }) => ({
    ...service,
    ports: ports.map((port, index) => ({ ...port, nodePort: 31000 + service.number * 10 + index })),
  })),
};
const PORTS = nodePorts(catalog).map(({ nodePort }) => nodePort);
const local = await loadEnvironment('local', readConfig());

interface Parts {
  fake: FakeKind;
  config: Config;
  notes: string[];
  report: (event: LocalStackEvent) => void;
  kubeconfig: string;
}

async function withFakes(
  options: Parameters<typeof fakeKind>[1],
  work: (parts: Parts) => Promise<void>,
): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'ananta-kind-'));
  try {
    const fake = await fakeKind(place, options);
    const notes: string[] = [];
    const config: Config = {
      ...readConfig(),
      stateRoot: join(place, 'state'),
      childEnv: { PATH: fake.folder, HOME: place },
    };
    await work({
      fake,
      config,
      notes,
      kubeconfig: join(place, 'state', 'local', 'kind', 'kubeconfig'),
      report: (event) => {
        if (event.kind === 'note') notes.push(event.message);
      },
    });
  } finally {
    await rm(place, { recursive: true });
  }
}

describe("kind's configuration", () => {
  const settings = { name: 'x', workers: 0 };
  const nodes = (over: object = {}) =>
    kindConfiguration(catalog, { ...settings, ...over })['nodes'] as {
      role: string;
      image?: string;
      extraPortMappings?: { containerPort: number; hostPort: number; listenAddress: string; protocol: string }[];
    }[];

  test('hands on every NodePort of the catalog, on its own number and on loopback only', () => {
    const [control, ...others] = nodes();
    assert.deepEqual([control!.role, others.length], ['control-plane', 0]);
    assert.deepEqual(
      control!.extraPortMappings!.map(({ containerPort }) => containerPort),
      PORTS,
    );
    assert.ok(PORTS.length > 10 && new Set(PORTS).size === PORTS.length && PORTS.includes(31090));
    for (const mapping of control!.extraPortMappings!)
      assert.deepEqual(
        [mapping.hostPort, mapping.listenAddress, mapping.protocol],
        [mapping.containerPort, '127.0.0.1', 'TCP'],
      );
  });

  test('workers and image as the environment says', () => {
    assert.deepEqual(
      nodes({ workers: 2, image: 'kindest/node:v1.35.0' }).map(({ role, image }) => `${role} ${image}`),
      ['control-plane kindest/node:v1.35.0', 'worker kindest/node:v1.35.0', 'worker kindest/node:v1.35.0'],
    );
  });

  test('what a cluster made by hand does not hand on is noticed', () => {
    const said = PORTS.slice(1)
      .map((port) => `${port}/tcp -> 127.0.0.1:${port}`)
      .join('\n');
    assert.deepEqual(unmapped(catalog, said), [PORTS[0]]);
    assert.deepEqual(
      unmapped(catalog, `${PORTS[0]}/tcp -> 127.0.0.1:8080\n${said}`),
      [PORTS[0]],
      'another number does not help',
    );
  });
});

describe('the cluster of kind', () => {
  test('is made once, with what the environment says, and its kubeconfig is ours alone', async () => {
    await withFakes(
      { engines: { docker: true }, ports: PORTS },
      async ({ fake, config, notes, report, kubeconfig }) => {
        const found = await upKind(local, catalog, config, report);
        assert.deepEqual(found, { kubeconfig, server: 'https://127.0.0.1:41234' });
        assert.equal((await stat(kubeconfig)).mode & 0o777, 0o600);
        assert.match(await readFile(kubeconfig, 'utf8'), /kind-ananta-local/);
        assert.deepEqual(await fake.asked(), [
          `kind(docker) create cluster --name ananta-local --config ${join(kubeconfig, '..', 'kind.yaml')} --kubeconfig ${kubeconfig} --wait 180s`,
        ]);
        assert.deepEqual(
          await fake.configuration(),
          JSON.parse(JSON.stringify(kindConfiguration(catalog, { name: 'ananta-local', workers: 0 }))),
        );
        await upKind(local, catalog, config, report);
        assert.equal((await fake.asked()).length, 1, 'a second time nothing is made');
        assert.equal(notes.length, 1);
      },
    );
  });

  test('stopped nodes are started; stopping keeps, only deleting deletes', async () => {
    await withFakes({ engines: { podman: true }, ports: PORTS }, async ({ fake, config, report, kubeconfig }) => {
      await upKind(local, catalog, config, report);
      assert.equal(await stopKind(local, config, report), true);
      assert.equal(await stopKind(local, config, report), false);
      await upKind(local, catalog, config, report);
      await fake.stopNodes();
      await upKind(local, catalog, config, report);
      assert.equal(await deleteKind(local, config, report), true);
      assert.equal(await deleteKind(local, config, report), false);
      assert.deepEqual((await fake.asked()).slice(1), [
        'podman stop ananta-local-control-plane',
        'podman start ananta-local-control-plane',
        'podman start ananta-local-control-plane',
        `kind(podman) delete cluster --name ananta-local --kubeconfig ${kubeconfig}`,
      ]);
    });
  });

  test('NodePorts that cannot be reached are told, not repaired by deleting', async () => {
    await withFakes({ engines: { docker: true }, ports: PORTS.slice(2) }, async ({ fake, config, notes, report }) => {
      await upKind(local, catalog, config, report);
      await upKind(local, catalog, config, report);
      assert.match(notes.at(-1)!, new RegExp(`without these NodePorts.*: ${PORTS[0]}, ${PORTS[1]}\\..*down --purge`));
      assert.equal(
        (await fake.asked()).some((line) => line.includes('delete')),
        false,
      );
    });
  });

  test('Docker that does not answer is passed over for podman', async () => {
    await withFakes({ engines: { docker: false, podman: true }, ports: PORTS }, async ({ fake, config, report }) => {
      await upKind(local, catalog, config, report);
      assert.match((await fake.asked()).find((line) => line.includes('create'))!, /^kind\(podman\) create cluster/);
    });
  });

  for (const [name, options, says] of [
    [
      'no container engine at all',
      { engines: {}, kind: true },
      /none answers \(docker: not on the PATH; podman: not on the PATH\)\.$/,
    ],
    [
      'neither answers',
      { engines: { docker: false, podman: false } },
      /docker: Cannot connect to the Docker daemon.*podman: Cannot connect to Podman/,
    ],
    ['no kind', { engines: { docker: true }, kind: false }, /docker answers, but there is no program kind on the PATH/],
  ] as const) {
    test(`${name}: nothing is touched`, async () => {
      await withFakes(options, async ({ config, report, kubeconfig }) => {
        await assert.rejects(upKind(local, catalog, config, report), { name: 'KindUnavailableError', message: says });
        await assert.rejects(stat(kubeconfig), { code: 'ENOENT' });
        assert.deepEqual(
          [await stopKind(local, config, report), await deleteKind(local, config, report)],
          [false, false],
          'what was never made needs no engine to be gone',
        );
      });
    });
  }
});

test('on the command line: refused, with the environments that need no container engine', async () => {
  const place = await workspace();
  try {
    const fake = await fakeKind(place.folder, { engines: { docker: false } });
    const run = await place.run(['up', '--env', 'local'], { env: { PATH: fake.folder } });
    assert.equal(run.code, 3, run.stderr);
    assert.match(
      run.stderr,
      /refused, nothing was touched\n.*none answers \(docker: Cannot connect to the Docker daemon[^)]*; podman: not on the PATH\)/,
    );
    assert.match(run.stderr, /deploy --env sandbox.*\n.*deploy --env node/);
  } finally {
    await place.remove();
  }
});
