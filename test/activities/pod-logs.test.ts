/** Logs of all pods of a service: merged by time, followed through restarts and breaks, without secret values. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readTroubles } from '../../src/cli/deploy/beside/pod-logs.ts';
import { applyLive, emptyLive } from '../../src/cli/render/live.ts';
import { followPodLogs, type LogLine, readPodLogs } from '../../src/effects/pod-logs.ts';
import { KubernetesError, type KubernetesObject } from '../../src/clients/kubernetes/index.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';

const labels = { 'app.kubernetes.io/instance': 'api' };
const pod = (name: string, restarts = 0, state: object = { running: {} }): KubernetesObject => ({
  metadata: { name, namespace: 'apps', uid: name, resourceVersion: '1', labels },
  spec: { containers: [{ name: 'main' }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'main', restartCount: restarts, state }] },
});
const crashed = (name: string): KubernetesObject => {
  const found = pod(name, 3);
  const waiting = { reason: 'CrashLoopBackOff', message: 'back-off' };
  const status = { name: 'main', restartCount: 3, state: { waiting }, lastState: { terminated: { exitCode: 1 } } };
  return { ...found, status: { phase: 'Running', containerStatuses: [status] } };
};
const put = ({ cluster }: FakeParts, object: KubernetesObject): void => {
  cluster.objects.set(`/api/v1/namespaces/apps/pods/${object.metadata.name}`, object);
  cluster.notify('apps', 'api');
};
const serviceOf = ({ clients }: FakeParts) => clients.catalog.services.find(({ name }) => name === 'api')!;
const line = (second: number, text: string): string => `2026-01-01T00:00:0${second}.5Z ${text}`;
const wanted = { lines: 10, signal: new AbortController().signal };

describe('logs of a service', () => {
  test('of all replicas, in the order of time, a value of the platform hidden', () =>
    withFakeClients(async (parts) => {
      put(parts, pod('api-a'));
      put(parts, pod('api-b'));
      put(parts, pod('api-c', 0, { waiting: { reason: 'ContainerCreating' } }));
      parts.clients.redactor.learn('hunter2hunter2');
      parts.clients.kubernetes.podLog = ({ pod: name }) =>
        Promise.resolve(
          name === 'api-a' ? `${line(1, 'one')}\n${line(3, 'three hunter2hunter2')}\n` : `${line(2, 'two')}\n`,
        );
      const { lines, containers } = await readPodLogs(parts.clients, serviceOf(parts), wanted);
      assert.equal(containers, 2);
      assert.deepEqual(
        lines.map(({ pod: name, text }) => `${name} ${text}`),
        ['api-a one', 'api-b two', 'api-a three [redacted]'],
      );
    }));

  test('of before a restart: only of those that have one', () =>
    withFakeClients(async (parts) => {
      put(parts, pod('api-a', 2));
      put(parts, pod('api-b'));
      const asked: unknown[] = [];
      parts.clients.kubernetes.podLog = ({ pod: name }, container, options) => {
        asked.push([name, container, options?.previous]);
        return Promise.resolve('the end\n');
      };
      const { lines } = await readPodLogs(parts.clients, serviceOf(parts), { ...wanted, previous: true });
      assert.deepEqual([asked, lines.map(({ text }) => text)], [[['api-a', 'main', true]], ['the end']]);
    }));

  test('of pods in trouble alone', () =>
    withFakeClients(async (parts) => {
      const ready = { ...pod('api-a'), status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };
      put(parts, ready);
      put(parts, pod('api-b', 3, { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } }));
      parts.clients.kubernetes.podLog = ({ pod: name }) => Promise.resolve(`${name} says\n`);
      const { lines } = await readPodLogs(parts.clients, serviceOf(parts), { ...wanted, inTrouble: true });
      assert.deepEqual(
        lines.map(({ text }) => text),
        [],
        'it has written nothing yet',
      );
      put(parts, crashed('api-b'));
      const after = await readPodLogs(parts.clients, serviceOf(parts), { ...wanted, inTrouble: true });
      assert.deepEqual(
        after.lines.map(({ text }) => text),
        ['api-b says'],
      );
    }));

  test('the ends of logs of what a wait has met something with, for as long as it has', () =>
    withFakeClients(async (parts) => {
      put(parts, crashed('api-b'));
      parts.clients.kubernetes.podLog = () => Promise.resolve('1\n2\n3\n4\n');
      const stop = new AbortController();
      const told: unknown[] = [];
      const cause = { kind: 'cause', id: 'x', release: 'api', message: 'CrashLoopBackOff' } as const;
      await readTroubles(parts.clients, {
        view: () => applyLive(emptyLive(), cause),
        emit: (event) => {
          told.push(event.kind === 'trouble-log' ? [event.release, event.lines.map(({ text }) => text)] : event);
          stop.abort();
        },
        signal: stop.signal,
      });
      assert.deepEqual(told, [['api', ['2', '3', '4']]]);
      const view = applyLive(applyLive(emptyLive(), cause), { kind: 'trouble-log', release: 'api', lines: [] });
      assert.deepEqual(Object.keys(view.troubleLog), ['api']);
      assert.deepEqual(applyLive(view, { kind: 'cause-over', id: 'x' }).troubleLog, {});
    }));

  test('followed from before Vault holds anything: a value that comes later is hidden, too', () =>
    withFakeClients(async (parts) => {
      const stop = new AbortController();
      const told: string[] = [];
      let looks = 0;
      parts.clients.vault.state = () => {
        looks += 1;
        if (looks === 2) parts.clients.redactor.learn('made-later-1234');
        return Promise.resolve({ state: 'uninitialized', detail: '' });
      };
      parts.clients.kubernetes.followPodLog = async function* () {
        yield await Promise.resolve(line(1, 'password made-later-1234'));
      };
      put(parts, pod('api-a'));
      await followPodLogs(parts.clients, serviceOf(parts), {
        lines: 10,
        signal: stop.signal,
        onLine: ({ pod: name, text }) => {
          told.push(`${name} ${text}`);
          if (name === 'api-a') put(parts, pod('api-b'));
          else stop.abort();
        },
        onProblem: (problem) => assert.fail(problem),
      });
      assert.equal(looks, 2);
      assert.equal(told.at(-1), 'api-b password [redacted]');
    }));

  test('followed: a line without a time is told once, however often the log breaks', () =>
    withFakeClients(async (parts) => {
      const stop = new AbortController();
      const told: string[] = [];
      parts.clients.kubernetes.followPodLog = async function* () {
        yield await Promise.resolve('simulated');
      };
      put(parts, pod('api-a'));
      // Any change of an object of the service leads to another look.
      const timer = setInterval(() => put(parts, told.length === 1 ? pod('api-b') : pod('api-a')), 10);
      await followPodLogs(parts.clients, serviceOf(parts), {
        lines: 10,
        signal: stop.signal,
        onLine: ({ pod: name }) => {
          told.push(name);
          if (told.length === 2) stop.abort();
        },
        onProblem: (problem) => assert.fail(problem),
      }).finally(() => clearInterval(timer));
      assert.deepEqual(told, ['api-a', 'api-b']);
    }));

  test('followed: no more is read than a slow reader takes', () =>
    withFakeClients(async (parts) => {
      const stop = new AbortController();
      let read = 0;
      parts.clients.kubernetes.followPodLog = async function* () {
        for (; read < 1000 && !stop.signal.aborted; read += 1) yield await Promise.resolve(line(read % 10, `${read}`));
      };
      put(parts, pod('api-a'));
      let told = 0;
      await followPodLogs(parts.clients, serviceOf(parts), {
        lines: 10,
        signal: stop.signal,
        onLine: async () => {
          told += 1;
          if (told < 3) return;
          await new Promise((resolve) => setTimeout(resolve, 50));
          stop.abort();
        },
        onProblem: (text) => assert.fail(text),
      });
      assert.deepEqual([told, read], [3, 3]);
    }));

  test('followed: pods that come, a container started anew, and a break without repeating a line', () =>
    withFakeClients(async (parts) => {
      const stop = new AbortController();
      const told: LogLine[] = [];
      const problems: string[] = [];
      const opened: [string, string | undefined][] = [];
      const scripts: Record<string, string[][]> = {
        // It breaks after two lines; the second of the last one comes again.
        'api-a': [
          [line(1, 'one'), line(2, 'two')],
          [line(2, 'two'), line(3, 'three')],
        ],
        'api-b': [[line(4, 'late')]],
      };
      parts.clients.kubernetes.followPodLog = async function* ({ pod: name }, _container, { since }) {
        opened.push([name, since]);
        if (name === 'api-c')
          throw await Promise.resolve(new KubernetesError('GET log', 403, 'Forbidden', 'pods/log is forbidden'));
        yield* scripts[name]?.shift() ?? [];
        if (scripts[name]?.length === 0) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
      };
      put(parts, pod('api-a'));
      const has = (text: string): boolean => told.some((one) => one.text === text);
      const step = (): void => {
        if (has('three') && !has('late')) put(parts, pod('api-b'));
        else if (has('late') && problems.length === 0) put(parts, pod('api-c'));
        else if (problems.length > 0) stop.abort();
        else put(parts, pod('api-a', 1));
      };
      const timer = setInterval(step, 10);
      try {
        await followPodLogs(parts.clients, serviceOf(parts), {
          lines: 10,
          signal: stop.signal,
          onLine: (one) => told.push(one),
          onProblem: (text) => problems.push(text),
        });
      } finally {
        clearInterval(timer);
      }
      assert.deepEqual(
        told.map(({ text }) => text),
        ['one', 'two', 'three', 'late'],
      );
      assert.deepEqual(opened.slice(0, 3), [
        ['api-a', undefined],
        ['api-a', '2026-01-01T00:00:02.5Z'],
        ['api-b', undefined],
      ]);
      assert.match(problems[0] ?? '', /pods\/log is forbidden/);
    }));
});
