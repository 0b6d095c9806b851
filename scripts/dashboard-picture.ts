/**
 * The dashboard of helm/charts/deployer-monitoring as a picture for the docs: its JSON, what a Prometheus that scrapes
 * workers answers to its queries, drawn in a browser by Grafana's own panel components.
 *
 *   node launcher.mjs --run scripts/dashboard-picture.ts --prometheus http://127.0.0.1:9090 [--minutes 30]
 *       [--out docs/images/dashboard.png]
 *
 * Grafana's packages are half a gigabyte and needed for nothing else: npm installs them in the cache folder the first
 * time.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { readConfig } from '../src/config.ts';
import { findBrowser, withPage } from '../test/support/programs/browser.ts';
import { MONITORING } from '../test/support/telemetry/monitoring.ts';
import { inGrafana } from '../test/support/telemetry/promql.ts';

const run = promisify(execFile);
const { values } = parseArgs({
  options: {
    prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
    minutes: { type: 'string', default: '30' },
    out: { type: 'string', default: 'docs/images/dashboard.png' },
  },
});
const PACKAGES = [
  '@grafana/data@12.3.0',
  '@grafana/ui@12.3.0',
  'react@18.3.1',
  'react-dom@18.3.1',
  'esbuild@0.28.2',
] as const;
/** One that @grafana/ui gets from a repository; its tables alone need it. */
const OVERRIDES = { 'react-data-grid': '7.0.0-beta.47' };
const POINTS = 200;
const [WIDTH, HEIGHT] = [1400, 1000];

const dashboardSchema = z.looseObject({
  panels: z.array(
    z.looseObject({
      id: z.number(),
      targets: z
        .array(z.object({ expr: z.string(), legendFormat: z.string().default(''), instant: z.boolean().optional() }))
        .default([]),
    }),
  ),
});
const matrixSchema = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.number(), z.string()])),
      }),
    ),
  }),
});

const { script, style } = await bundled();
const dashboard = dashboardSchema.parse(
  JSON.parse(await readFile(join(MONITORING, 'files', 'ananta-deployments.json'), 'utf8')),
);
const to = Math.floor(Date.now() / 1000);
const seconds = Number(values.minutes) * 60;
const results = Object.fromEntries(
  await Promise.all(
    dashboard.panels.map(async ({ id, targets }) => [
      id,
      await Promise.all(
        targets.map(async ({ expr, legendFormat: legend, instant }) => ({
          legend,
          series: await series(expr, instant),
        })),
      ),
    ]),
  ),
) as unknown;
const browser = await findBrowser();
if (browser === undefined) throw new Error('There is no Chromium here.');
await withPage(browser, async (page) => {
  page.on('pageerror', (error) => {
    console.error(error);
  });
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });
  // An origin, since some of Grafana's parts look into its local storage; nobody is asked for it.
  const body = '<!doctype html><meta charset="utf-8"><body style="margin:0"><div id="page"></div>';
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto('http://localhost/');
  const drawn = { dashboard, results, from: (to - seconds) * 1000, to: to * 1000 };
  await page.evaluate(`window.drawn = ${JSON.stringify(drawn)}`);
  await page.addStyleTag({ content: style });
  await page.addScriptTag({ content: script });
  await page.waitForFunction('document.querySelectorAll("canvas").length > 3');
  await page.waitForTimeout(1500);
  await page.screenshot({ path: values.out, fullPage: true });
});
console.log(values.out);

async function series(expression: string, instant = false): Promise<z.infer<typeof matrixSchema>['data']['result']> {
  const query = inGrafana(expression, { rate: '1m', range: `${values.minutes}m` });
  // The last point is what an instant query gives.
  const from = instant ? to : to - seconds;
  const step = Math.max(1, Math.round(seconds / POINTS));
  const parameters = { query, start: String(from), end: String(to), step: String(step) };
  const url = `${values.prometheus}/api/v1/query_range?${new URLSearchParams(parameters).toString()}`;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${query}: ${await response.text()}`);
  return matrixSchema.parse(await response.json()).data.result;
}

/** Grafana's parts and the page in one text, and their style sheets in another. */
async function bundled(): Promise<{ script: string; style: string }> {
  const config = readConfig();
  const folder = join(config.cacheDir, 'dashboard-picture');
  await mkdir(folder, { recursive: true });
  const bundler = join(folder, 'node_modules', '.bin', 'esbuild');
  if (!existsSync(bundler)) {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, overrides: OVERRIDES }));
    const options = ['install', '--no-audit', '--no-fund', '--legacy-peer-deps', '--ignore-scripts', ...PACKAGES];
    await run('npm', options, { cwd: folder, env: config.childEnv, maxBuffer: 1 << 26 });
  }
  const source = join(folder, 'page.jsx');
  await copyFile(join(import.meta.dirname, 'dashboard-picture', 'page.jsx'), source);
  const loaders = ['--loader:.svg=dataurl', '--loader:.woff2=dataurl', '--loader:.ttf=empty'];
  const defines = ['--define:process.env.NODE_ENV="production"', '--define:global=window'];
  const out = join(folder, 'page.js');
  await run(bundler, [source, '--bundle', '--minify', `--outfile=${out}`, ...loaders, ...defines], { cwd: folder });
  const [text, style] = await Promise.all([out, join(folder, 'page.css')].map((file) => readFile(file, 'utf8')));
  return { script: text ?? '', style: style ?? '' };
}
