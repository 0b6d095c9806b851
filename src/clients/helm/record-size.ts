/**
 * How large Helm's record of a release would be: it is a Secret, which Kubernetes keeps up to 1 MiB. Helm itself finds
 * out when the deployment is there; here it is known before anything is applied.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import * as tar from 'tar';

export const MOST_RECORD_BYTES = 1024 * 1024;
/** What is packed may become smaller by our program than by Helm's, by less than this. */
const DIFFERENCE = 1.02;
/** Below this size before compression the record always fits. */
const NO_MATTER_BYTES = 512 * 1024;
/** Of an archive: what is in it is a few times larger. */
const NO_MATTER_ARCHIVE_BYTES = 128 * 1024;

const zip = promisify(gzip);

interface Recorded {
  /** A folder or an archive. */
  chartPath: string;
  /** YAML. */
  values: string;
  /** What it renders, as YAML. */
  manifest: string;
}

/** @returns bytes of the Secret's value, within a few hundredths; undefined where it is small enough in any case */
export async function recordBytes({ chartPath, values, manifest }: Recorded): Promise<number | undefined> {
  return packedBytes({ chartPath, values, manifest }, await chartFiles(chartPath));
}

async function packedBytes({ values, manifest }: Recorded, files: readonly ChartFile[]): Promise<number | undefined> {
  if (bytesOf(files) + values.length + manifest.length < NO_MATTER_BYTES) return undefined;
  // As Helm writes it: the chart's files in base64, all of it packed, and that in base64 again.
  const record = { manifest, config: values, files: files.map(({ name, data }) => [name, data.toString('base64')]) };
  return Math.ceil((await zip(JSON.stringify(record), { level: 9 })).length / 3) * 4;
}

/** @returns in words what is wrong with the size of its record; nothing where it may fit */
export async function recordSizeProblem({ chartPath, values, manifest }: Recorded): Promise<string | undefined> {
  const files = await chartFiles(chartPath);
  const size = await packedBytes({ chartPath, values, manifest }, files);
  if (size === undefined || size / DIFFERENCE <= MOST_RECORD_BYTES) return undefined;
  const largest = files.toSorted((a, b) => b.data.length - a.data.length).slice(0, 3);
  return (
    `Helm's record of it would have about ${kib(size)}, and Kubernetes keeps ${kib(MOST_RECORD_BYTES)} in a Secret: ` +
    `what it renders has ${kib(Buffer.byteLength(manifest))}, the chart ${kib(bytesOf(files))}` +
    (largest.length === 0
      ? ''
      : ` (its largest files: ${largest.map(({ name, data }) => `${name} ${kib(data.length)}`).join(', ')})`)
  );
}

interface ChartFile {
  name: string;
  data: Buffer;
}

/** Charts below it are in no record. */
async function chartFiles(chartPath: string): Promise<ChartFile[]> {
  const found = await stat(chartPath);
  if (!found.isDirectory()) return found.size < NO_MATTER_ARCHIVE_BYTES ? [] : archived(chartPath);
  const entries = await readdir(chartPath, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(chartPath.length + 1))
    .filter((name) => !name.startsWith('charts/'));
  return Promise.all(files.map(async (name) => ({ name, data: await readFile(join(chartPath, name)) })));
}

async function archived(file: string): Promise<ChartFile[]> {
  const found: Promise<ChartFile>[] = [];
  await tar.list({
    file,
    filter: (path) => !/^[^/]+\/charts\//.test(path),
    onReadEntry: (entry) => {
      if (entry.type === 'File')
        found.push(entry.concat().then((data) => ({ name: entry.path.replace(/^[^/]+\//, ''), data })));
    },
  });
  return Promise.all(found);
}

function bytesOf(files: readonly ChartFile[]): number {
  return files.reduce((sum, { data }) => sum + data.length, 0);
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
