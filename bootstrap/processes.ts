/** Processes of an environment as the machine knows them, recorded or not. */
import { dirname } from 'node:path';
import type { ComponentName, Layout } from './layout.ts';
import { type OrphanProcess, findProcesses } from './process/orphans.ts';

/** @param program what the component runs */
export async function processesOf(layout: Layout, name: ComponentName, program: string): Promise<OrphanProcess[]> {
  const programs = [program];
  switch (name) {
    // Node runs many things: these are known by their script. A worker gets the folder above all environments.
    case 'worker':
      return (await findProcesses({ folder: dirname(layout.root), programs, orEnvironment: true })).filter(
        ({ command }) => command.endsWith(`/src/worker.ts --env ${layout.environment}`),
      );
    case 'responder':
      return (await findProcesses({ folder: layout.root, programs })).filter(({ command }) =>
        command.includes('/responder/main.ts '),
      );
    case 'node-agent':
      return (await findProcesses({ folder: layout.root, programs })).filter(({ command }) =>
        command.includes('/agent/main.ts '),
      );
    default:
      return findProcesses({ folder: layout.root, programs });
  }
}

/** What components start and may leave behind: known by what they were given, not by their arguments. */
const CHILDREN = ['helm', 'kwokctl', 'vault-plugin-auth-kubernetes'];

/**
 * All of them, whoever started them; but kubectl is left alone, since a person may be looking at something.
 * @param tools paths by name
 */
export async function processesOfEnvironment(
  layout: Layout,
  tools: Readonly<Record<string, string>>,
): Promise<OrphanProcess[]> {
  const paths = (wanted: (name: string) => boolean): string[] =>
    Object.entries(tools).flatMap(([name, path]) => (wanted(name) ? [path] : []));
  const found = await Promise.all([
    findProcesses({ folder: layout.root, programs: paths((name) => name !== 'kubectl' && !CHILDREN.includes(name)) }),
    findProcesses({ folder: layout.root, programs: paths((name) => CHILDREN.includes(name)), orEnvironment: true }),
    processesOf(layout, 'responder', process.execPath),
    processesOf(layout, 'worker', process.execPath),
    processesOf(layout, 'node-agent', process.execPath),
  ]);
  return found.flat();
}
