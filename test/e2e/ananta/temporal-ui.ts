/**
 * What a person sees in the Temporal UI, in a real browser: states, reasons and summaries without opening a payload.
 * `UPDATE_IMAGES=1` rewrites the pictures of the docs.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { readConfig } from '../../../src/config.ts';
import { phaseWorkflowId } from '../../../src/contract/names.ts';
import { findBrowser, withPage } from '../../support/programs/browser.ts';
import { type CliRun, resultOf, type Sandbox } from '../../support/sandbox/sandbox.ts';

const config = readConfig();
const browser = await findBrowser();
if (browser === undefined && config.ci) throw new Error('In CI the pictures are not optional: install chromium');

/** The UI shows Markdown in frames of its own, and makes them anew as it likes. */
async function inSomeFrame(page: Page, text: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const contents = await Promise.all(page.frames().map((frame) => frame.content().catch(() => '')));
    if (contents.some((content) => content.includes(text))) return;
    await page.waitForTimeout(200);
  }
  assert.fail(`nowhere on the page: ${text}`);
}

/** Why the pictures cannot be looked at here; undefined where they can. */
export const noPictures = browser === undefined ? 'no Chromium on the PATH' : undefined;

/** @param run the command that deployed it */
export async function shownInTheUi(sandbox: Sandbox, run: CliRun): Promise<void> {
  const result = resultOf(run);
  const started = run.lines.find((line) => line.type === 'started');
  const url = String(started?.['url']);
  const folder = process.env['UPDATE_IMAGES'] === undefined ? sandbox.folder : join(config.repoRoot, 'docs', 'images');
  await mkdir(folder, { recursive: true });
  await withPage(browser ?? '', async (page) => {
    await page.goto(url, { waitUntil: 'networkidle' });
    await page.getByText('Completed').first().waitFor();
    assert.match(await page.title(), /deploy\/rehearsal/);
    await page.getByText('Audit: succeeded').first().waitFor();
    await page.screenshot({ path: join(sandbox.folder, 'temporal-ui-history.png') });
    // Summary and current details: every service with its state and time.
    await page.getByText('User Metadata').first().click();
    await page.getByText('Events with Metadata').first().waitFor();
    await page.waitForFunction("document.querySelectorAll('iframe').length >= 3");
    await inSomeFrame(page, 'Deploy the platform to rehearsal');
    await inSomeFrame(page, 'keycloak-init');
    await page.screenshot({ path: join(folder, 'temporal-ui.png') });

    // The list, filtered by search attributes: this environment's phases.
    const list = new URL(url);
    list.pathname = '/namespaces/ananta/workflows';
    list.search = `?query=${encodeURIComponent(`AnantaEnvironment="rehearsal" AND AnantaResult="succeeded"`)}`;
    await page.goto(list.href, { waitUntil: 'networkidle' });
    await page.getByText('phase-04').first().waitFor();
    await page.screenshot({ path: join(folder, 'temporal-ui-list.png') });

    const phase = new URL(url);
    phase.pathname = `/namespaces/ananta/workflows/${encodeURIComponent(phaseWorkflowId(result.workflowId, String(started?.['runId']), 4))}`;
    await page.goto(phase.href, { waitUntil: 'networkidle' });
    await page
      .getByText(/Helm install keycloak/)
      .first()
      .waitFor();
    await page.screenshot({ path: join(folder, 'temporal-ui-phase.png') });
  });
}
