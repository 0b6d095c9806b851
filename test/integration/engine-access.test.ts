/**
 * A Temporal that others run: TLS, client certificates, API keys. Which connections are accepted, and what the message
 * says when one is not.
 */
import assert from 'node:assert/strict';
import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context, heartbeat } from '@temporalio/activity';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { workflowBuild } from '../../src/clients/temporal/bundle.ts';
import { closeTemporal, connectTemporal, followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import { workerVersions } from '../../src/clients/temporal/versions.ts';
import { readConfig } from '../../src/config.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import type { Connections } from '../../src/environment/connections.ts';
import { openEngineLink } from '../../src/worker/engine-link.ts';
import { createServing, type Serving } from '../../src/worker/serving.ts';
import { externalEnvironment, kubeconfigFor, startFakeApi, type Workspace, workspace } from '../cli/run-cli.ts';
import { planOf, recordingActivities } from '../support/plans.ts';
import { type SecuredTemporal, startTemporalServer, temporalServerProgram } from '../support/temporal-server.ts';
import { type Certificates, certificates, clientCertificate, OPENSSL } from '../support/servers/tls.ts';

const program = OPENSSL === undefined ? undefined : await temporalServerProgram();
const IN = /Nothing was ever deployed to "mine" by this engine/;

describe('an engine with TLS and an authorizer', {
  concurrency: 1,
  skip: program === undefined && 'needs openssl, and Go to build a Temporal server with',
}, () => {
  let at: Workspace;
  let api: Awaited<ReturnType<typeof startFakeApi>>;
  let folder: string;
  /** Asks for keys; by the name 127.0.0.1 for certificates, too. */
  let keys: SecuredTemporal;
  /** Asks for certificates only. */
  let mutual: SecuredTemporal;
  let client: Certificates;
  let stranger: Certificates;

  before(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    folder = await mkdtemp(join(tmpdir(), 'ananta-access-'));
    [at, api] = await Promise.all([workspace(readConfig().cacheDir), startFakeApi()]);
    // One after the other, so that what has started is stopped when the next one does not.
    keys = await startTemporalServer(program!, join(folder, 'keys'));
    mutual = await startTemporalServer(program!, join(folder, 'mutual'), { authorizer: false });
    client = await clientCertificate(mutual.tls, 'deployer');
    stranger = await clientCertificate(await certificates(join(folder, 'elsewhere')), 'stranger');
    await writeFile(join(at.folder, 'kubeconfig'), kubeconfigFor(api.address));
  });
  after(async () => {
    api?.close();
    await Promise.all([keys?.close(), mutual?.close(), at?.remove()]);
    await rm(folder, { recursive: true, force: true });
  });

  /** Output of a command that asks the engine before anything else. */
  async function attach(engine: object): Promise<string> {
    const text = externalEnvironment({ kubeconfig: join(at.folder, 'kubeconfig') });
    await at.environment(
      'mine',
      text.replace(/^engine: .*$/m, `engine: ${JSON.stringify({ namespace: ENGINE_NAMESPACE, ...engine })}`),
    );
    const { code, stderr } = await at.run(['attach', '--env', 'mine']);
    assert.equal(code, 3, stderr);
    return stderr;
  }

  async function keyFile(name: string, key: string, mode = 0o600): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, key);
    await chmod(path, mode);
    return path;
  }

  test('certificates', async () => {
    const address = `127.0.0.1:${mutual.port}`;
    const { ca } = mutual.tls;
    const cases: [what: string, engine: object, said: RegExp][] = [
      ['no TLS', { address }, /It does not talk with us[^]*it may want TLS[^]*engine\.tls: true/],
      [
        'an authority that nobody told us',
        { address, tls: true },
        /was not issued by whom we trust[^]*engine\.tls\.ca/,
      ],
      [
        'no certificate of ours',
        { address, tls: { ca } },
        /wants a certificate of ours \(mutual TLS\)[^]*engine\.tls\.cert and engine\.tls\.key/,
      ],
      [
        'one of another authority',
        { address, tls: { ca, cert: stranger.cert, key: stranger.key } },
        /It refused our certificate/,
      ],
      [
        'another name',
        { address, tls: { ca, cert: client.cert, key: client.key, serverName: 'temporal.elsewhere' } },
        /certificate is not for[^]*engine\.tls\.serverName/,
      ],
      [
        'a file that is not there',
        { address, tls: { ca, cert: client.cert, key: join(folder, 'nothing.key') } },
        /engine\.tls\.key: \S+ cannot be read \(ENOENT\)/,
      ],
      ['the right one', { address, tls: { ca, cert: client.cert, key: client.key } }, IN],
    ];
    for (const [what, engine, said] of cases) assert.match(await attach(engine), said, what);
  });

  test('API keys', async () => {
    const address = `${keys.host}:${keys.port}`;
    const tls = { ca: keys.tls.ca };
    const right = await keyFile('right.key', keys.key(['ananta:write']));
    const refused: [what: string, engine: object, said: RegExp][] = [
      ['none', { address, tls }, /does not let us in[^]*It was shown no API key[^]*engine\.apiKeyFile/],
      [
        'one for another namespace',
        { address, tls, apiKeyFile: await keyFile('other.key', keys.key(['elsewhere:write'])) },
        /gives no right to the namespace "ananta"/,
      ],
      [
        'one that is over',
        { address, tls, apiKeyFile: await keyFile('over.key', keys.key(['ananta:write'], -60)) },
        /is over since 20[^]*Put a new key into/,
      ],
      [
        'one that nobody signed',
        { address, tls, apiKeyFile: await keyFile('forged.key', `${keys.key(['ananta:write']).slice(0, -8)}AAAAAAAA`) },
        /does not let us in/,
      ],
      [
        'one that everybody can read',
        { address, tls, apiKeyFile: await keyFile('open.key', keys.key(['ananta:write']), 0o644) },
        /can be read by everybody[^]*chmod 600/,
      ],
      [
        'a namespace that is not there',
        { address, tls, namespace: 'nowhere', apiKeyFile: await keyFile('nowhere.key', keys.key(['nowhere:write'])) },
        /There is no namespace "nowhere"[^]*temporal operator namespace create/,
      ],
      [
        'by a name that wants a certificate, too',
        { address: `127.0.0.1:${keys.port}`, tls, apiKeyFile: right },
        /wants a certificate of ours/,
      ],
    ];
    for (const [what, engine, said] of refused) {
      const text = await attach(engine);
      assert.match(text, said, what);
      assert.doesNotMatch(text, /eyJ[\w-]+\./, `${what}: no key is told to anybody`);
    }
    assert.match(await attach({ address, tls, apiKeyFile: right }), IN);
    const ours = await clientCertificate(keys.tls, 'deployer');
    assert.match(
      await attach({
        address: `127.0.0.1:${keys.port}`,
        tls: { ...tls, cert: ours.cert, key: ours.key },
        apiKeyFile: right,
      }),
      IN,
    );
  });

  test('a worker that may not: says so and ends', async () => {
    const apiKeyFile = await keyFile('reader.key', keys.key(['elsewhere:read']));
    await attach({ address: `${keys.host}:${keys.port}`, tls: { ca: keys.tls.ca }, apiKeyFile });
    const { code, stderr } = await at.run(['worker', '--env', 'mine']);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /does not let us in[^]*Workers and commands both need it/);
  });

  test('a key is exchanged while a worker works: the deployment does not notice that the first one is over', async () => {
    // Long enough for a busy machine to be in the middle of the deployment by then.
    const seconds = 30;
    const apiKeyFile = await keyFile('short.key', keys.key(['ananta:write'], seconds));
    const over = Date.now() + seconds * 1000;
    const result = await deployThrough(
      { address: `${keys.host}:${keys.port}`, namespace: ENGINE_NAMESPACE, tls: { ca: keys.tls.ca }, apiKeyFile },
      'keyed',
      async (log) => {
        await writeFile(apiKeyFile, keys.key(['ananta:write']));
        await waitUntil('the worker has the new key', { timeoutMs: 60_000, intervalMs: 100 }, () =>
          Promise.resolve(log.includes('The API key was exchanged') || undefined),
        );
        await sleep(Math.max(0, over - Date.now() + 1000));
        const old = await keyFile('old.key', keys.key(['ananta:write'], -1));
        await assert.rejects(
          connectTemporal({
            address: `${keys.host}:${keys.port}`,
            namespace: ENGINE_NAMESPACE,
            tls: { ca: keys.tls.ca },
            apiKeyFile: old,
          }).then((opened) => opened.workflow.count('')),
          /./,
        );
      },
    );
    assert.equal(result, 'succeeded');
  });

  test('a certificate is exchanged while a worker works: it goes on through a new connection', async () => {
    const mine = { cert: join(folder, 'mine.pem'), key: join(folder, 'mine.key') };
    const place = async (from: Certificates): Promise<void> => {
      await copyFile(from.key, mine.key);
      await chmod(mine.key, 0o600);
      await copyFile(from.cert, mine.cert);
    };
    await place(client);
    const result = await deployThrough(
      { address: `127.0.0.1:${mutual.port}`, namespace: ENGINE_NAMESPACE, tls: { ca: mutual.tls.ca, ...mine } },
      'certified',
      async (log) => {
        await place(await clientCertificate(mutual.tls, 'renewed'));
        await waitUntil('the worker is connected anew', { timeoutMs: 60_000, intervalMs: 100 }, () =>
          Promise.resolve(log.includes('The certificate was exchanged: connected anew') || undefined),
        );
      },
    );
    assert.equal(result, 'succeeded');
  });

  /** A deployment by a worker as `worker.ts` runs one, with something done in its middle. @returns its outcome */
  async function deployThrough(
    engine: Connections['engine'],
    environment: string,
    inTheMiddle: (log: string[]) => Promise<void>,
  ): Promise<string> {
    const plan = planOf({ first: { phase: 1 }, last: { phase: 2, dependsOn: ['first'] } });
    const gate = Promise.withResolvers<undefined>();
    let waiting = false;
    const { activities } = recordingActivities(plan, {
      awaitHealthy: async ({ step }) => {
        if (step.name !== 'first') return { seconds: 0, proof: '' };
        waiting = true;
        const beat = setInterval(() => {
          heartbeat();
        }, 500);
        await Promise.race([gate.promise, Context.current().cancelled]).finally(() => {
          clearInterval(beat);
        });
        return { seconds: 0, proof: '' };
      },
    });
    const log: string[] = [];
    const made: { serving?: Serving } = {};
    const link = await openEngineLink(environment, engine, {
      say: (text) => log.push(text),
      onReconnect: (connection) => {
        made.serving?.reconnect(connection);
      },
    });
    const { repoRoot, stateRoot } = readConfig();
    const build = await workflowBuild(repoRoot, stateRoot);
    const serving = (made.serving = await createServing({
      environment,
      engine: link,
      namespace: engine.namespace,
      build,
      identity: 'tester@elsewhere/1',
      olderBundle: () => Promise.resolve(undefined),
      worker: { activities, stickyQueueScheduleToStartTimeout: '1s', maxHeartbeatThrottleInterval: '1s' },
      say: (text) => log.push(text),
    }));
    const running = serving.run();
    try {
      await waitUntil(
        'its version is current',
        { timeoutMs: 30_000, intervalMs: 100 },
        async () => (await workerVersions(link.client, environment)).current === build.buildId || undefined,
      );
      const own = await connectTemporal(engine);
      const run = await startOrAttach(
        own,
        'deploy',
        { environment, imageTags: {}, clusterUid: `${environment}-uid`, requestedBy: 'tester@host' },
        'refuse',
      );
      await waitUntil('the deployment is in its middle', { timeoutMs: 30_000, intervalMs: 50 }, () =>
        Promise.resolve(waiting || undefined),
      );
      await inTheMiddle(log);
      gate.resolve(undefined);
      const result = await followDeployment(own, run, { onEvent: () => undefined });
      await closeTemporal(own);
      return result.outcome;
    } finally {
      gate.resolve(undefined);
      serving.shutdown();
      await running;
      await link.close();
    }
  }
});
