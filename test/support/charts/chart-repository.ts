/**
 * Small charts of our own under the names and versions of the publishers' ones, packaged and indexed by Helm, served
 * over HTTP.
 */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallChart {
  name: string;
  version: string;
}

/** What an archive consists of: a Deployment and its Service, named like the release. Values are not looked at. */
export async function packageChart(
  helm: string,
  folder: string,
  { name, version }: SmallChart,
  remark = '',
): Promise<{ file: string; digest: string }> {
  const source = join(folder, `source-${name}`, name);
  const labels = 'app.kubernetes.io/instance: {{ .Release.Name }}';
  await mkdir(join(source, 'templates'), { recursive: true });
  await writeFile(
    join(source, 'Chart.yaml'),
    `apiVersion: v2\nname: ${name}\nversion: ${version}\ndescription: for a test ${remark}\n`,
  );
  await writeFile(
    join(source, 'templates', 'all.yaml'),
    `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }}, labels: { ${labels} } }
spec:
  selector: { matchLabels: { ${labels} } }
  template:
    metadata: { labels: { ${labels} } }
    spec:
      containers:
        - name: main
          image: docker.io/example/${name}:${version}
`,
  );
  await run(helm, ['package', source, '--destination', folder], { env: helmHome(folder) });
  await rm(join(folder, `source-${name}`), { recursive: true });
  const file = join(folder, `${name}-${version}.tgz`);
  return {
    file,
    digest: `sha256:${createHash('sha256')
      .update(await readFile(file))
      .digest('hex')}`,
  };
}

/** Helm away from the user's files, for what a test prepares. */
export function helmHome(folder: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    HELM_CACHE_HOME: join(folder, '.helm', 'cache'),
    HELM_CONFIG_HOME: join(folder, '.helm', 'config'),
    HELM_DATA_HOME: join(folder, '.helm', 'data'),
  };
}

export interface Repository {
  url: string;
  port: number;
  /** Paths that were asked for, as they stood in the request line. */
  asked: string[];
  /** So many of the next downloads of archives break off in the middle. */
  cut: (times: number) => void;
  /** Makes the index anew from the archives that are there. */
  index: () => Promise<void>;
  close: () => Promise<void>;
}

/** Serves a folder of archives. A request with a whole address, as proxies get them, is answered like one without. */
export async function serveRepository(helm: string, folder: string): Promise<Repository> {
  const asked: string[] = [];
  let cuts = 0;
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const name = basename(new URL(request.url ?? '/', 'http://localhost').pathname);
    readFile(join(folder, name)).then(
      (content) => {
        response.setHeader('content-length', content.length);
        if (!name.endsWith('.tgz') || cuts === 0) return response.end(content);
        cuts -= 1;
        response.write(content.subarray(0, content.length >> 1), () => {
          response.destroy();
        });
        return undefined;
      },
      () => {
        response.writeHead(404).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/charts`;
  // Relative addresses: they hold whatever name the repository is asked by.
  const index = async (): Promise<void> => {
    await run(helm, ['repo', 'index', folder], { env: helmHome(folder) });
  };
  await index();
  return {
    url,
    port,
    asked,
    index,
    cut: (times) => {
      cuts = times;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
