/** A real browser, headless: from the PATH, where the machine has one. */
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Page } from 'playwright-core';
import { readConfig } from '../../src/config.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @returns undefined where there is none */
export async function findBrowser(): Promise<string | undefined> {
  for (const folder of (readConfig().childEnv['PATH'] ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name);
      if (await access(path).then(() => true, () => false)) return path;
    }
  }
  return undefined;
}

export async function withPage<T>(executablePath: string, work: (page: Page) => Promise<T>): Promise<T> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    return await work(await browser.newPage({ viewport: { width: 1500, height: 1000 } }));
  } finally {
    await browser.close();
  }
}
