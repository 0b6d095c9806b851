/** A MinIO of this machine in a folder of its own: the program of the images that the node tier makes. */
import { execFile, spawn } from 'node:child_process';
import { access, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { readConfig } from '../../../src/config.ts';
import { builtLayer, minioPrograms } from '../../images/index.ts';
import { eventually } from '../eventually.ts';
import { freePort } from './ports.ts';

const run = promisify(execFile);

export interface Minio {
  endpoint: string;
  accessKey: string;
  secretKey: string;
  /** Makes a bucket, as an operator does it: a folder of its data. */
  mc: (...args: string[]) => Promise<string>;
  stop: () => Promise<void>;
}

/** It encrypts with a key of its own where it is asked to. */
export async function startMinio(): Promise<Minio> {
  const config = readConfig();
  const [minio, mc] = await unpackedMinio(config);
  const folder = await mkdtemp(join(tmpdir(), 'minio-'));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const [accessKey, secretKey] = ['operator', 'a-long-secret-of-the-store'];
  const server = spawn(
    minio,
    ['server', '--quiet', '--address', endpoint.slice('http://'.length), join(folder, 'data')],
    {
      stdio: 'ignore',
      cwd: folder,
      env: {
        HOME: folder,
        MINIO_ROOT_USER: accessKey,
        MINIO_ROOT_PASSWORD: secretKey,
        MINIO_BROWSER: 'off',
        MINIO_KMS_SECRET_KEY: `of-tests:${Buffer.alloc(32, 7).toString('base64')}`,
      },
    },
  );
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const env = {
    HOME: folder,
    MC_CONFIG_DIR: join(folder, 'mc'),
    MC_HOST_s: endpoint.replace('http://', `http://${accessKey}:${secretKey}@`),
  };
  await eventually(async () => {
    const { ok } = await fetch(`${endpoint}/minio/health/ready`);
    if (!ok) throw new Error('not ready');
  });
  return {
    endpoint,
    accessKey,
    secretKey,
    mc: async (...args) => (await run(mc, ['--quiet', ...args], { env })).stdout,
    stop: async () => {
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Server and client, unpacked once for each build of them. @returns their paths */
export async function unpackedMinio(config: ReturnType<typeof readConfig>): Promise<[string, string]> {
  const layer = await builtLayer(config, minioPrograms);
  const folder = join(config.cacheDir, 'test-tools', `minio-${basename(layer, '.tar')}`);
  if (
    await access(folder).then(
      () => false,
      () => true,
    )
  ) {
    const part = await mkdtemp(`${folder}.`);
    await run('tar', ['--extract', '--file', layer, '--directory', part]);
    await rename(part, folder).catch((error: unknown) => {
      const { code = '' } = error as NodeJS.ErrnoException;
      // Another process was faster.
      if (!['ENOTEMPTY', 'EEXIST'].includes(code)) throw error;
      return rm(part, { recursive: true });
    });
  }
  return [join(folder, 'usr/bin/minio'), join(folder, 'usr/bin/mc')];
}
