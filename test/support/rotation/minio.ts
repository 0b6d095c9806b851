/** A MinIO whose root changes, and a login to it as S3 clients do it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { freePort } from '../programs/ports.ts';
import type { Login } from './clients.ts';

export interface RotatingMinio {
  port: number;
  /** Names of the buckets that this user may see. @throws RefusedLogin where the server refuses the login */
  buckets: (login: Login) => Promise<string[]>;
  /** Started again with this root, as its pod is by a new Secret. */
  restart: (root: Login) => Promise<void>;
  stop: () => Promise<void>;
}

/** What the server says to a user or a secret key that is not good (any more). */
export class RefusedLogin extends Error {}

/** @param program its path */
export async function startRotatingMinio(program: string, folder: string, root: Login): Promise<RotatingMinio> {
  const port = await freePort();
  const [data, home] = [join(folder, 'data'), join(folder, 'home')];
  for (const each of [data, home]) await mkdir(each, { recursive: true });
  let server: ChildProcess;
  const buckets = (login: Login): Promise<string[]> => listBuckets(port, login);
  const start = async (as: Login): Promise<void> => {
    server = spawn(program, ['server', data, '--address', `127.0.0.1:${port}`, '--console-address', '127.0.0.1:0'], {
      stdio: 'ignore',
      env: {
        HOME: home,
        MINIO_UPDATE: 'off',
        MINIO_BROWSER: 'off',
        MINIO_ROOT_USER: as.username,
        MINIO_ROOT_PASSWORD: as.password,
      },
    });
    await eventually(() => buckets(as));
  };
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  };
  await start(root);
  return {
    port,
    buckets,
    restart: async (as) => {
      await stop();
      await start(as);
    },
    stop,
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** `ListBuckets`, signed by AWS Signature Version 4. */
async function listBuckets(port: number, { username, password }: Login): Promise<string[]> {
  const host = `127.0.0.1:${port}`;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const empty = sha256('');
  const headers = `host:${host}\nx-amz-content-sha256:${empty}\nx-amz-date:${time}\n`;
  const signed = 'host;x-amz-content-sha256;x-amz-date';
  const scope = `${day}/us-east-1/s3/aws4_request`;
  const request = sha256(['GET', '/', '', headers, signed, empty].join('\n'));
  const key = ['us-east-1', 's3', 'aws4_request'].reduce(hmac, hmac(`AWS4${password}`, day));
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, request].join('\n')).toString('hex');
  const response = await fetch(`http://${host}/`, {
    headers: {
      'x-amz-content-sha256': empty,
      'x-amz-date': time,
      authorization: `AWS4-HMAC-SHA256 Credential=${username}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
    },
  });
  const text = await response.text();
  if (/<Code>(InvalidAccessKeyId|SignatureDoesNotMatch)</.test(text)) throw new RefusedLogin(text);
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return [...text.matchAll(/<Name>([^<]*)</g)].map(([, name = '']) => name);
}
