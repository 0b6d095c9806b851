/**
 * What a chart repository's index says of one version. Indexes have megabytes, so only the chart's own part is parsed.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

export interface IndexEntry {
  /** `sha256:…` */
  digest: string;
}

const versionsSchema = z.array(z.object({ version: z.string(), digest: z.string().optional() }));

/** @returns undefined when the index names no digest for this version */
export async function readIndex(
  path: string,
  chart: { name: string; version: string },
): Promise<IndexEntry | undefined> {
  const text = await readFile(path, 'utf8');
  const versions = versionsSchema.safeParse(parse(partOf(text, chart.name)));
  const digest = versions.data?.find(({ version }) => version.replace(/^v/, '') === chart.version)?.digest;
  return digest === undefined ? undefined : { digest: digest.startsWith('sha256:') ? digest : `sha256:${digest}` };
}

/** The list below `  <name>:`, as Helm writes an index; an index in another form yields nothing. */
function partOf(text: string, name: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line === `  ${name}:`);
  if (start === -1) return '[]';
  const length = lines.slice(start + 1).findIndex((line) => /^(\S|  [^\s-])/.test(line));
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n');
}
