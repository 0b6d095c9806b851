/**
 * Dashboard and alerts: they render, they are PromQL, and each metric and label in them is one that a worker exports.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { type MetricName, METRICS } from '../../src/contract/metrics.ts';
import { IN_CLUSTER } from '../../src/contract/names.ts';
import { findProgram, promtool, rulesFile } from '../support/telemetry/live-prometheus.ts';
import { dashboardExpressions, MONITORING, readDashboard } from '../support/telemetry/monitoring.ts';
import { readPromql } from '../support/telemetry/promql.ts';
import { type KubernetesObject, parseObjects } from './golden.ts';
import { config, helm, helmBinary, KUBERNETES_VERSION } from './helm.ts';

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

const binary = await helmBinary();
const render = (...args: string[]): Promise<string> =>
  helm(
    binary,
    ['template', 'deployer-monitoring', MONITORING, '-n', 'monitoring', '--kube-version', KUBERNETES_VERSION, ...args],
    '',
  );
const rendered = await render();
const objects = parseObjects(rendered);
const of = (kind: string): KubernetesObject => objects.find((object) => object.kind === kind) ?? assert.fail(kind);
const rules = (of('PrometheusRule').spec as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const dashboard = readDashboard();
const expressions = [
  ...dashboardExpressions(dashboard),
  ...rules.map(({ alert, record, expr }) => ({ where: alert ?? record ?? '', expr })),
];

/** As an exporter writes them: a histogram is three. */
const exported = new Map(
  (Object.keys(METRICS) as MetricName[]).flatMap((name) =>
    (METRICS[name].kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map(
      (suffix): [string, readonly string[]] => [
        `${name}${suffix}`,
        [...METRICS[name].labels, ...(suffix === '_bucket' ? ['le'] : [])],
      ],
    ),
  ),
);
/** Of every series: what the worker says of itself, what Prometheus adds. */
const EVERYWHERE = ['environment', 'instance'];

describe('what watches the deployer', () => {
  test('renders to what it did', () => {
    const file = join(config.repoRoot, 'test', 'golden', 'deployer-monitoring.yaml');
    // The dashboard's text is that of its file.
    const text = rendered.replace(/^ {4}\{\n[\s\S]*?^ {4}\}$/m, '    (files/ananta-deployments.json)');
    if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(file, text);
    assert.equal(text, readFileSync(file, 'utf8'));
    const [inside] = Object.values(of('ConfigMap').data ?? {});
    const file_ = readFileSync(join(MONITORING, 'files', 'ananta-deployments.json'), 'utf8');
    assert.deepEqual(JSON.parse(inside!), JSON.parse(file_));
  });

  test('is PromQL throughout', () => {
    assert.ok(expressions.length > 20);
    assert.deepEqual(
      expressions.flatMap(({ where, expr }) => readPromql(expr).errors.map((error) => `${where}: ${error}`)),
      [],
    );
  });

  test('speaks of metrics that are exported, of ours and of rules alone, with their labels', () => {
    const recorded = rules.flatMap(({ record }) => record ?? []);
    for (const { where, expr } of expressions) {
      const { metrics, labels } = readPromql(expr);
      assert.ok(metrics.length > 0, where);
      const known = metrics.flatMap((name) => {
        if (name.startsWith('temporal_')) return ['le', 'operation', 'worker_type'];
        if (recorded.includes(name)) return ['kind'];
        return exported.get(name) ?? assert.fail(`${where}: nobody exports ${name}`);
      });
      for (const label of labels)
        assert.ok([...EVERYWHERE, ...known].includes(label), `${where}: ${metrics.join(', ')} has no label ${label}`);
    }
  });

  test('shows every metric of ours somewhere', () => {
    const used = new Set(expressions.flatMap(({ expr }) => readPromql(expr).metrics));
    const unused = (Object.keys(METRICS) as MetricName[]).filter(
      (name) => ![...used].some((metric) => metric.replace(/_(bucket|sum|count)$/, '') === name),
    );
    // When the newest version was made is the time of the last operation.
    assert.deepEqual(unused, ['ananta_platform_version_timestamp_seconds']);
  });

  test('alerts say what to do, in a command, and how bad it is', () => {
    for (const { alert, annotations, labels } of rules.filter((rule) => rule.alert !== undefined)) {
      assert.match(alert!, /^Ananta[A-Z]/);
      assert.match(labels?.['severity'] ?? '', /^(critical|warning)$/, alert);
      assert.ok((annotations?.['summary'] ?? '') !== '' && (annotations?.['description'] ?? '') !== '', alert);
    }
    assert.ok(rules.filter(({ annotations }) => annotations?.['description']?.includes('npm run ananta')).length >= 6);
  });

  describe('as Prometheus evaluates it', () => {
    const CASES = join(import.meta.dirname, 'alerts.yaml');

    test('each alert has a moment at which it is told, and one at which it is not', () => {
      const { tests } = parse(readFileSync(CASES, 'utf8')) as {
        tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
      };
      const cases = tests.flatMap(({ alert_rule_test: each }) => each);
      const named = (told: boolean): string[] => [
        ...new Set(cases.filter(({ exp_alerts: all }) => all.length > 0 === told).map(({ alertname }) => alertname)),
      ];
      const all = rules.flatMap(({ alert }) => alert ?? []).sort();
      assert.deepEqual([named(true).sort(), named(false).sort()], [all, all]);
    });

    test('promtool takes the rules, and tells each alert when it should, in its words', async (context) => {
      const program = await findProgram('promtool');
      if (program === undefined) {
        context.skip('no promtool here (Debian: prometheus)');
        return;
      }
      const folder = mkdtempSync(join(tmpdir(), 'ananta-rules-'));
      try {
        writeFileSync(join(folder, 'rules.yaml'), rulesFile(rendered));
        copyFileSync(CASES, join(folder, 'alerts.yaml'));
        assert.match(await promtool(program, 'check', 'rules', join(folder, 'rules.yaml')), /SUCCESS: 9 rules found/);
        assert.match(await promtool(program, 'test', 'rules', join(folder, 'alerts.yaml')), /SUCCESS/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });

  test('panels lie beside each other, each with an id of its own', () => {
    const { panels } = dashboard;
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}/${y + Math.floor(cell / w)}`),
    );
    assert.equal(new Set(cells).size, cells.length);
    assert.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24));
  });

  test("scrapes the workers' port, in their namespace", () => {
    const { namespaceSelector, selector, podMetricsEndpoints } = of('PodMonitor').spec as {
      namespaceSelector: { matchNames: string[] };
      selector: { matchLabels: Record<string, string> };
      podMetricsEndpoints: { port: string }[];
    };
    assert.deepEqual(namespaceSelector.matchNames, [IN_CLUSTER.namespace]);
    assert.deepEqual(selector.matchLabels, { 'app.kubernetes.io/instance': IN_CLUSTER.worker });
    assert.deepEqual(
      podMetricsEndpoints.map(({ port }) => port),
      ['metrics'],
    );
  });

  test('each part can be left out, and a value that nobody knows is refused', async () => {
    const none = await render(
      ...['podMonitor', 'dashboard', 'alerts'].flatMap((part) => ['--set', `${part}.enabled=false`]),
    );
    assert.deepEqual(parseObjects(none), []);
    await assert.rejects(render('--set', 'alert.enabled=false'), /alert/);
  });
});
