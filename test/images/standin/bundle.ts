/** One file from the stand-in and its clients: what a client needs is evaluated when it is asked for the first time. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * RabbitMQ 3.10, which Debian has, closes the connection on a question that the stream client asks every broker since
 * 3.11.
 */
const EXCHANGE = 'await this.exchangeCommandVersions();';
const olderBrokers: Plugin = {
  name: 'older brokers',
  setup({ onLoad }) {
    onLoad({ filter: /rabbitmq-stream-js-client\/dist\/connection\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes(EXCHANGE)) throw new Error(`${path} has no ${EXCHANGE}`);
      return {
        contents: text.replace(EXCHANGE, `if (!/^3\\.(9|10)\\./.test(this.peerProperties?.version ?? '')) ${EXCHANGE}`),
      };
    });
  },
};

/**
 * @returns the program as text, to be run by the Node that the repository brings along; the same input gives the same
 * text
 */
export async function bundleStandIn(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifyWhitespace: true,
    minifySyntax: true,
    write: false,
    legalComments: 'none',
    logLevel: 'error',
    // Clients written for CommonJS expect these.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); const __filename = import.meta.filename; const __dirname = import.meta.dirname;",
    },
    plugins: [olderBrokers],
    // Optional parts of MongoDB's driver that nothing here uses.
    external: [
      'kerberos',
      'mongodb-client-encryption',
      'snappy',
      '@mongodb-js/zstd',
      'gcp-metadata',
      '@aws-sdk/credential-providers',
      'socks',
      'aws4',
    ],
  });
  const text = outputFiles[0]?.text;
  if (text === undefined) throw new Error('the bundler made nothing');
  return text;
}
