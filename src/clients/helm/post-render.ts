/**
 * What Helm is about to apply, changed by this process: Helm hands its manifest to a plugin, the plugin to a socket of
 * ours. So the manifest is in no file, and Helm records exactly what it applies.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { privateFolder, writeFileDurably } from '../../process/files.ts';

const NAME = 'ananta-fields';
const SCRIPT = 'post-render.mjs';
/** It takes milliseconds. */
const ANSWER_SECONDS = 60;
/** Ends the answer; this character cannot occur in YAML. */
const END = '\0';

/**
 * Helm would take the half of an answer for all of it, and delete what is missing: so nothing is handed on before the
 * last character is there. Without an answer, because the worker has died or stands still, Helm ends with an error and
 * has changed nothing.
 */
const PROGRAM = `import { connect } from 'node:net';
const fail = (message) => {
  process.stderr.write(message);
  process.exit(1);
};
const socket = connect(process.argv[2]);
const chunks = [];
socket.setTimeout(${ANSWER_SECONDS * 1000}, () => fail('the deployer does not answer'));
socket.on('error', (error) => fail(error.message));
socket.on('data', (chunk) => chunks.push(chunk));
socket.on('end', () => {
  const answer = Buffer.concat(chunks);
  if (answer.at(-1) !== 0) fail('the deployer has ended before it had answered');
  process.stdout.write(answer.subarray(0, -1));
});
process.stdin.pipe(socket);
`;

export interface PostRendering {
  args: string[];
  env: Record<string, string>;
  /** What went wrong while the manifest was changed. */
  error: () => unknown;
}

/**
 * @param home Helm's own folder
 * @param change gets all that the chart rendered, hooks included, as YAML documents
 */
export async function withPostRenderer<T>(
  home: string,
  change: (manifest: string) => string,
  work: (rendering: PostRendering) => Promise<T>,
): Promise<T> {
  const plugins = join(home, 'plugins');
  await installPlugin(plugins);
  // A socket's path may have some hundred characters at most, and a state folder may be deep.
  const folder = await mkdtemp(join(tmpdir(), 'ananta-'));
  const socketPath = join(folder, 's');
  let failure: unknown;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    answer(socket, change).catch((error: unknown) => {
      failure = error;
      socket.destroy();
    });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(socketPath, resolve);
    });
    return await work({
      args: ['--post-renderer', NAME, '--post-renderer-args', socketPath],
      env: { HELM_PLUGINS: plugins },
      error: () => failure,
    });
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function answer(socket: Socket, change: (manifest: string) => string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  socket.end(`${change(Buffer.concat(chunks).toString('utf8'))}${END}`);
}

async function installPlugin(plugins: string): Promise<void> {
  const folder = join(plugins, NAME);
  await privateFolder(folder);
  const command = JSON.stringify(process.execPath);
  await Promise.all([
    keepFile(join(folder, SCRIPT), PROGRAM),
    keepFile(
      join(folder, 'plugin.yaml'),
      `apiVersion: v1\nname: ${NAME}\nversion: 1.0.0\ntype: postrenderer/v1\nruntime: subprocess\nruntimeConfig:\n  platformCommand:\n    - command: ${command}\n      args: ["\${HELM_PLUGIN_DIR}/${SCRIPT}"]\n`,
    ),
  ]);
}

/** Another Helm may be about to read it: half of a program would be one that answers nothing and ends well. */
async function keepFile(path: string, content: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) !== content) await writeFileDurably(path, content);
}
