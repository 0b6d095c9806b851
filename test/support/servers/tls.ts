/**
 * TLS for tests: an authority of their own, made by openssl, and a server in front of another one that demands a name
 * and a password.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const OPENSSL = process.env['PATH']
  ?.split(delimiter)
  .map((folder) => join(folder, 'openssl'))
  .find((path) => existsSync(path));

export interface Certificates {
  /** File with the authority's certificate. */
  ca: string;
  cert: string;
  key: string;
}

/** For `localhost`, 127.0.0.1, and more names where they are given. */
export async function certificates(folder: string, names: readonly string[] = []): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);
  const all = ['DNS:localhost', 'IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)];
  await writeFile(file('extensions'), `subjectAltName=${all.join(',')}\n`);
  await openssl(
    folder,
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  await issue(folder, { name: 'localhost', file: 'server', extensions: 'extensions' });
  return { ca: file('ca.pem'), cert: file('server.pem'), key: file('server.key') };
}

/** Of a client, issued by the same authority. */
export async function clientCertificate({ ca }: Certificates, name: string): Promise<Certificates> {
  const folder = dirname(ca);
  // Without an extension it would be a certificate of version 1, which the worker's library does not take.
  await writeFile(join(folder, 'client'), 'extendedKeyUsage=clientAuth\n');
  await issue(folder, { name, file: name, extensions: 'client' });
  return { ca, cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

const openssl = (folder: string, ...args: string[]): Promise<unknown> =>
  run(OPENSSL ?? 'openssl', args, { cwd: folder });

/** A key and a certificate of the authority in that folder, as `FILE.key` and `FILE.pem`. */
async function issue(
  folder: string,
  { name, file, extensions }: { name: string; file: string; extensions: string },
): Promise<void> {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const made = ['-keyout', `${file}.key`, '-out', `${file}.csr`];
  await openssl(folder, 'req', ...curve, '-nodes', '-subj', `/CN=${name}`, ...made);
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
  const out = ['-out', `${file}.pem`, '-extfile', extensions];
  await openssl(folder, 'x509', '-req', '-in', `${file}.csr`, ...authority, ...out);
}

export interface Guard {
  /** `localhost:PORT` */
  host: string;
  /** How often somebody came without the right name and password. */
  refused: () => number;
  close: () => Promise<void>;
}

/** HTTPS in front of a plain server on loopback; with `login` only for whoever knows `name:password`. */
export async function guard(target: string, { cert, key }: Certificates, login?: string): Promise<Guard> {
  const [host = '', port] = target.split(':');
  let refusals = 0;
  const server = createServer({ cert: await readFile(cert), key: await readFile(key) }, (incoming, outgoing) => {
    if (login !== undefined && incoming.headers.authorization !== `Basic ${Buffer.from(login).toString('base64')}`) {
      refusals += 1;
      outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
      return;
    }
    const passed = httpRequest(
      { host, port, method: incoming.method, path: incoming.url, headers: { ...incoming.headers, host: target } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.once('error', () => {
      outgoing.destroy();
    });
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    refused: () => refusals,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
