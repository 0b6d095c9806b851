/**
 * The chart of a revision as a folder, as far as Helm's record has it: without templates, which are rendered already.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import type { StoredRelease } from './stored.ts';

/** @param work gets the folder, which goes when it has ended */
export async function withRecordedChart<T>({ chart }: StoredRelease, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-chart-'));
  try {
    // Charts below it are in no record, and nothing of them is needed.
    const { dependencies: _none, ...metadata } = chart.metadata;
    await writeFile(join(folder, 'Chart.yaml'), JSON.stringify(metadata));
    await writeFile(join(folder, 'values.yaml'), JSON.stringify(chart['values'] ?? {}));
    for (const { name, data } of chart.files) {
      const path = normalize(name);
      if (path.startsWith('..') || path.startsWith('/')) continue;
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), Buffer.from(data, 'base64'));
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
