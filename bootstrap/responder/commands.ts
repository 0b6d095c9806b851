/**
 * Stand-ins for the commands of exec probes. KWOK runs what is executed in a simulated pod on this machine, with this folder
 * as its whole PATH; each stand-in only looks whether the service named in its arguments is to fail.
 */
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readText, writeAtomic } from '../process/files.ts';

/** What the real program says when all is well. */
const HEALTHY_WORDS: Record<string, string> = {
  pg_isready: '$service - accepting connections',
  'redis-cli': 'PONG',
  valkey: 'PONG',
  mongosh: '{ ok: 1 }',
  temporal: 'SERVING',
  tctl: 'SERVING',
  'rabbitmq-diagnostics': 'Ping succeeded',
};

/** A POSIX script that needs nothing but the shell itself. */
export function standInScript(command: string, failuresFolder: string): string {
  return `#!/bin/sh
# Stands in for ${command} in simulated pods. Fails when ${failuresFolder} says so for the service named in the arguments.
service=
for argument in "$@"; do
  case $argument in
  *.svc*)
    service=\${argument%%.svc*}
    service=\${service##*[!a-z0-9.-]}
    service=\${service%%.*}
    ;;
  esac
done
mode=
if [ -n "$service" ] && [ -r ${quoted(failuresFolder)}/"$service" ]; then
  read -r mode <${quoted(failuresFolder)}/"$service"
fi
case $mode in
unhealthy)
  echo "$service is not well (simulated)" >&2
  exit 1
  ;;
refuse)
  echo "could not connect to $service (simulated)" >&2
  exit 2
  ;;
hang)
  exec /bin/sleep 60
  ;;
esac
echo "${HEALTHY_WORDS[command] ?? 'ok'}"
`;
}

/** Writes exactly these stand-ins; others are removed. @throws Error for a command that is not a bare name */
export async function writeStandIns(folder: string, commands: Iterable<string>, failuresFolder: string): Promise<void> {
  const wanted = new Set(commands);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await mkdir(failuresFolder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) if (!wanted.has(name)) await rm(join(folder, name), { force: true });
  for (const command of wanted) {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(command)) throw new Error(`the health check command "${command}" must be a bare name: simulated pods find commands on the PATH only`);
    const path = join(folder, command);
    const script = standInScript(command, failuresFolder);
    if ((await readText(path)) !== script) await writeAtomic(path, script, 0o700);
    await chmod(path, 0o700);
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
