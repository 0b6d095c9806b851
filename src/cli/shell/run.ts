/** `ananta shell`: a shell, or one command, with the usual tools pointed at an environment. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownKubeconfig } from '../../clients/kubernetes/kubeconfig/kubeconfig.ts';
import { readRuntime, resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { shellWord } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { shellVariables } from './environment.ts';
import { labelOf, shellStart } from './prompt.ts';

/** @returns the exit code of the shell or the command, as it is */
export async function runShell(context: CliContext, env: string, command: readonly string[]): Promise<ExitCode> {
  const { config, terminal } = context;
  const environment = await loadEnvironment(env, config);
  if (command.length === 0 && !terminal.interactive)
    throw refused('A shell needs a terminal; a command does not: give one after --.');
  const connections = await resolveConnections(environment, config);
  const runtime = await readRuntime(config, environment.name);
  const folder = await mkdtemp(join(tmpdir(), 'ananta-shell-'));
  try {
    const inherited = config.userEnv;
    const variables = shellVariables({ environment, connections, runtime, folder, inherited });
    if (!connections.kubernetes.inCluster)
      await writeFile(join(folder, 'kubeconfig'), ownKubeconfig(connections.kubernetes), { mode: 0o600 });
    await writeTokenHelper(folder);
    if (command.length > 0) return await ended(command[0] ?? '', command.slice(1), variables);
    const start = shellStart(inherited['SHELL'] ?? '/bin/sh', labelOf(environment), folder, inherited);
    const files = { ...start.files, variables: variableLines(variables, inherited) };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
    printLines(terminal.stderr, [
      `kubectl, helm, vault and temporal meet ${environment.name} in this shell${environment.protected ? ', which is protected' : ''}; exit leaves it.`,
      ...(connections.engine.tunnel === undefined
        ? []
        : ['Its engine is in the cluster: temporal has no way to it from here.']),
    ]);
    const own = { ...start.variables, ANANTA_SHELL_VARIABLES: join(folder, 'variables') };
    return await ended(start.command, start.args, { ...variables, ...own });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Read after the user's own files, which may point somewhere else again. */
function variableLines(
  variables: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string>>,
): string {
  const tools = (variables['PATH'] ?? '').slice(0, -(inherited['PATH'] ?? '').length - 1);
  const pointed = Object.entries(variables).filter(([name, value]) => name !== 'PATH' && inherited[name] !== value);
  return [
    'unset VAULT_TOKEN VAULT_NAMESPACE TEMPORAL_API_KEY HELM_KUBECONTEXT HELM_NAMESPACE',
    ...pointed.map(([name, value]) => `export ${name}=${shellWord(value)}`),
    ...(tools === '' ? [] : [`export PATH=${shellWord(tools)}:"$PATH"`]),
    '',
  ].join('\n');
}

/** `vault login` keeps its token where the shell's other files are, not in the user's home. */
async function writeTokenHelper(folder: string): Promise<void> {
  const [helper, token] = [join(folder, 'token-helper'), shellWord(join(folder, 'vault-token'))];
  const script = `#!/bin/sh
case "$1" in
  get) cat ${token} 2>/dev/null || : ;;
  store) umask 077; cat > ${token} ;;
  erase) rm -f ${token} ;;
esac
`;
  await writeFile(helper, script);
  await chmod(helper, 0o700);
  await writeFile(join(folder, 'vault.hcl'), `token_helper = ${JSON.stringify(helper)}\n`);
}

async function ended(command: string, args: readonly string[], env: Record<string, string>): Promise<ExitCode> {
  const child = spawn(command, [...args], { env, stdio: 'inherit' });
  // Ctrl-C is for what runs in the shell; the others are passed on.
  const ignore = (): void => undefined;
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', ignore).on('SIGTERM', pass).on('SIGHUP', pass);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', (error) => {
        reject(refused(`${command} could not be started: ${error.message}.`));
      });
      child.on('exit', (exit, signal) => {
        resolve(exit ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
    // It is the command's own, whatever it means.
    return code as ExitCode;
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', pass).off('SIGHUP', pass);
  }
}
