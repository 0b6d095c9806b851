import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Environment } from '../../../src/environment/schema.ts';
import { renderDot } from '../../../src/plan/render/dot.ts';
import { draw } from '../../../src/plan/render/drawing.ts';
import { catalogRows } from '../../../src/plan/render/json.ts';
import { renderMermaid } from '../../../src/plan/render/mermaid.ts';
import { renderSvg } from '../../../src/plan/render/svg.ts';
import { renderCatalogText } from '../../../src/plan/render/text.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const catalog = await miniCatalog();
let sandbox: Environment;
before(async () => {
  sandbox = await miniEnvironment();
});

const jobs = catalog.services.filter(({ kind }) => kind === 'job').length;
const counted = `${catalog.services.length} services, ${jobs} of them Jobs, in ${catalog.namespaces.length} namespaces.`;

describe('the catalog', () => {
  for (const width of [80, 120]) {
    test(`as text fits ${width} columns and names every service`, () => {
      const text = renderCatalogText(catalog, width);
      assert.ok(text.split('\n').every((line) => line.length <= width));
      for (const { name } of catalog.services) assert.ok(text.includes(` ${name} `), name);
      assert.ok(text.includes(counted), text);
    });
  }

  test('as JSON has a row for each with all that programs need', () => {
    const rows = catalogRows(catalog, sandbox);
    assert.deepEqual(
      rows.map(({ number }) => number),
      Array.from({ length: catalog.services.length }, (_, index) => index + 1),
    );
    for (const key of [
      'number',
      'phase',
      'name',
      'namespace',
      'module',
      'chart',
      'kind',
      'dependsOn',
      'health',
      'ports',
      'secrets',
    ]) {
      assert.ok(
        rows.every((row) => key in row),
        key,
      );
    }
    const database = rows.find(({ name }) => name === 'database');
    assert.equal(database?.image, 'docker.io/library/postgres:16.11');
    assert.equal(database.chart.upstream?.version, '14.3.3');
  });
});

describe('the graph', () => {
  test('has no arrow that follows from others', () => {
    const { edges } = draw(catalog, sandbox);
    const into = (name: string): string[] => edges.filter(({ to }) => to === name).map(({ from }) => from);
    assert.deepEqual(into('schema'), ['database']);
    assert.deepEqual(into('auth'), ['database']);
    assert.deepEqual(into('web'), ['api']);
    assert.deepEqual(into('api').sort(), ['auth', 'schema', 'storage']);
  });

  test('marks the longest path, unbroken', () => {
    const { edges, criticalPath } = draw(catalog, sandbox);
    const critical = edges
      .filter((edge) => edge.critical)
      .map(({ from, to }) => `${from} ${to}`)
      .sort();
    assert.deepEqual(
      critical,
      criticalPath
        .slice(1)
        .map((name, index) => `${criticalPath[index]} ${name}`)
        .sort(),
    );
  });

  test('as Mermaid has a box per phase and a node per service', () => {
    const text = renderMermaid(draw(catalog, sandbox));
    assert.equal(text.match(/^ {2}subgraph /gm)?.length, catalog.phases.length);
    assert.equal(text.match(/^ {4}s\d+\[/gm)?.length, catalog.services.length);
    assert.match(text, /s2 ==> s3/);
  });

  test('as DOT has a node per service', () => {
    const text = renderDot(draw(catalog, sandbox));
    assert.equal(text.match(/ \[label="\d+ {2}/g)?.length, catalog.services.length);
  });

  test('as SVG shows every service', async () => {
    const svg = (await renderSvg(draw(catalog, sandbox))).replaceAll('&#45;', '-');
    assert.match(svg, /<svg /);
    for (const { name } of catalog.services) assert.ok(svg.includes(`<title>${name}</title>`), name);
  });
});
