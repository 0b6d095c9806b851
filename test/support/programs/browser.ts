/** A real browser, headless, from the PATH; not every machine has one. */
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Page } from 'playwright-core';
import { readConfig } from '../../../src/config.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @returns undefined where there is none */
export async function findBrowser(): Promise<string | undefined> {
  for (const folder of (readConfig().childEnv['PATH'] ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name);
      if (
        await access(path).then(
          () => true,
          () => false,
        )
      )
        return path;
    }
  }
  return undefined;
}

export async function withPage<T>(executablePath: string, work: (page: Page) => Promise<T>): Promise<T> {
  const { chromium } = await import('playwright-core');
  const home = await mkdtemp(join(tmpdir(), 'ananta-browser-'));
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu'],
    env: { PATH: readConfig().childEnv['PATH'] ?? '', HOME: home },
  });
  try {
    return await work(await browser.newPage({ viewport: { width: 1500, height: 1000 } }));
  } finally {
    await browser.close();
    await rm(home, { recursive: true, force: true });
  }
}
