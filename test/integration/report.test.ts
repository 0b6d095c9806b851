/** The report in a real browser: on a telephone, on paper, light and dark, with the keyboard. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { renderReport } from '../../src/plan/report/html.ts';
import { sampleReport } from '../plan/report/sample.ts';
import { findBrowser, withPage } from '../support/programs/browser.ts';

test('a report in a browser', async (t) => {
  const browser = await findBrowser();
  if (browser === undefined) {
    t.skip('no browser on the PATH');
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'report-'));
  const file = join(folder, 'report.html');
  await writeFile(file, renderReport(sampleReport()));
  try {
    await withPage(browser, async (page) => {
      const requests: string[] = [];
      const problems: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('console', (message) => problems.push(message.text()));
      page.on('pageerror', (error) => problems.push(error.message));
      const address = pathToFileURL(file).href;
      await page.goto(address);
      assert.deepEqual([requests, problems], [[address], []]);

      // What a screen reader hears.
      await page.getByRole('heading', { name: 'shop: deploy failed' }).waitFor();
      assert.equal(await page.getByRole('img', { name: /^api: 5\.0 s waiting for dependencies/ }).count(), 1);
      assert.equal(await page.getByRole('row', { name: /Install api 2 the API server was away/ }).count(), 1);

      assert.equal(await page.getByRole('img', { name: /^paused: 2\.0 s paused by ops@host/ }).count(), 1);
      assert.equal(await page.getByRole('img', { name: /^check db\/size: 1\.5 s, failed/ }).count(), 1);
      assert.equal(await page.getByRole('row', { name: /ops@host paused it: look at <db>/ }).count(), 1);
      assert.equal(await page.getByRole('row', { name: /db\/page .* passed .* GET \/ 200/ }).count(), 1);
      // Every bar and mark lies within its row.
      assert.deepEqual(
        await page.evaluate(
          `[...document.querySelectorAll('.bar i')].filter((bar) => {
            const [own, all] = [bar.getBoundingClientRect(), bar.parentElement.getBoundingClientRect()];
            return own.left < all.left - 2 || own.right > all.right + 3 || own.width < 1;
          }).map((bar) => bar.className)`,
        ),
        [],
      );

      // Of a failed service everything stands open; others open with the keyboard.
      assert.equal(await page.locator('#service-api').getAttribute('open'), '');
      const other = page.locator('#service-db');
      await other.locator('summary').focus();
      await page.keyboard.press('Enter');
      assert.equal(await other.getAttribute('open'), '');
      await page.reload();
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate('document.activeElement.className'), 'skip');

      const sizes = (): Promise<[number, number]> =>
        page.evaluate('[document.documentElement.scrollWidth, document.documentElement.clientWidth]');
      for (const [width, height] of [
        [320, 640],
        [1500, 1000],
      ] as const) {
        await page.setViewportSize({ width, height });
        const [wide, there] = await sizes();
        assert.ok(wide <= there, `${wide} of ${there} at ${width}`);
      }
      const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
      const light = await ground();
      await page.emulateMedia({ colorScheme: 'dark' });
      assert.notEqual(await ground(), light);
      await page.emulateMedia({ media: 'print', colorScheme: 'light' });
      assert.ok((await page.pdf()).length > 10_000);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
