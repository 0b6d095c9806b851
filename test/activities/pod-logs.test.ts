/** Logs of all pods of a service: merged by time, followed through restarts and breaks, without secret values. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { followPodLogs, type LogLine, readPodLogs } from '../../src/effects/pod-logs.ts';
import { KubernetesError, type KubernetesObject } from '../../src/clients/kubernetes/index.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';

const labels = { 'app.kubernetes.io/instance': 'api' };
const pod = (name: string, restarts = 0, state: object = { running: {} }): KubernetesObject => ({
  metadata: { name, namespace: 'apps', uid: name, resourceVersion: '1', labels },
  spec: { containers: [{ name: 'main' }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'main', restartCount: restarts, state }] },
});
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
