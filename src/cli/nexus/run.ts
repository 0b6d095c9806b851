/** `ananta nexus show|apply|remove`: the environment's endpoint on the engine. */
import type { Client } from '@temporalio/client';
import { closeTemporal } from '../../clients/temporal/index.ts';
import {
  describeEndpoint,
  type EndpointView,
  removeEndpoint,
  reconcileEndpoints,
} from '../../clients/temporal/nexus.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { createCommand, type WantedEndpoint, wantedEndpoint } from '../../contract/nexus/endpoint.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { openEngine } from '../deploy/engine.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { NexusOptions } from './options.ts';

type State = 'off' | 'missing' | 'ready' | 'foreign';

export async function showNexus(context: CliContext, options: NexusOptions): Promise<ExitCode> {
  return onEngine(context, options, async (client, environment, wanted) => {
    const found = await describeEndpoint(client, wanted);
    const state = stateOf(environment, found);
    const { nexus } = environment;
    const answer = { environment: environment.name, endpoint: wanted.name, state, ...(nexus ? { nexus } : {}) };
    if (options.json) printLines(context.terminal.stdout, [JSON.stringify(answer)]);
    else printLines(context.terminal.stdout, shownLines(environment, wanted, state));
    return state === 'missing' || state === 'foreign' ? EXIT_CODES.failed : EXIT_CODES.done;
  });
}

export async function applyNexus(context: CliContext, options: NexusOptions): Promise<ExitCode> {
  return onEngine(context, options, async (client, environment, wanted) => {
    const { outcome, removed } = await reconcileEndpoints(client, wanted, environment.nexus !== undefined);
    if (outcome === 'forbidden') throw forbidden(createCommand(wanted));
    if (outcome === 'foreign') throw foreign(environment.name, wanted);
    const changed = outcome === 'created' || removed.length > 0;
    if (options.json)
      printLines(context.terminal.stdout, [
        JSON.stringify({ environment: environment.name, endpoint: wanted.name, outcome: outcome ?? 'off', removed }),
      ]);
    else
      printLines(context.terminal.stdout, [
        ...(outcome === 'created' ? [`Made the Nexus endpoint ${wanted.name}.`] : []),
        ...removed.map((name) => `Removed the Nexus endpoint ${name}.`),
        ...(changed ? [] : ['Everything is as the file says.']),
      ]);
    return EXIT_CODES.done;
  });
}

export async function removeNexus(context: CliContext, options: NexusOptions): Promise<ExitCode> {
  return onEngine(context, options, async (client, environment, wanted) => {
    const outcome = await removeEndpoint(client, wanted);
    if (outcome === 'forbidden') throw forbidden(`temporal operator nexus endpoint delete --name ${wanted.name}`);
    if (outcome === 'foreign') throw foreign(environment.name, wanted);
    printLines(context.terminal.stdout, [
      options.json
        ? JSON.stringify({ environment: environment.name, endpoint: wanted.name, outcome })
        : outcome === 'removed'
          ? `Removed the Nexus endpoint ${wanted.name}.`
          : `The engine has no Nexus endpoint ${wanted.name}.`,
    ]);
    return EXIT_CODES.done;
  });
}

function stateOf({ nexus }: Environment, found: EndpointView | undefined): State {
  if (nexus === undefined) return 'off';
  return found === undefined ? 'missing' : found.ours ? 'ready' : 'foreign';
}

function shownLines({ name, nexus }: Environment, wanted: WantedEndpoint, state: State): string[] {
  if (nexus === undefined)
    return [`"${name}" takes no Nexus operations: its file says nothing of nexus (docs/look-up/nexus.md).`];
  const { operations, callers, promoteFrom } = nexus;
  return [
    `Endpoint:    ${wanted.name}, service ananta (namespace ${wanted.namespace}, task queue ${wanted.taskQueue})`,
    `Operations:  ${operations.join(', ')}`,
    `Callers:     workflows of ${callers.join(', ')}`,
    ...(promoteFrom.length > 0 ? [`Promotes:    from ${promoteFrom.join(', ')}`] : []),
    ...(state === 'ready' ? ['The engine has the endpoint.'] : []),
    ...(state === 'missing'
      ? [`The engine has no such endpoint. Next: ${commandLine('nexus', 'apply', '--env', name)}`]
      : []),
    ...(state === 'foreign'
      ? [
          `The engine has an endpoint of that name that is somebody else's: name another one in the file (nexus.endpoint).`,
        ]
      : []),
  ];
}

function forbidden(command: string): Error {
  return refused('The engine lets only its operators make or remove Nexus endpoints.', `Ask one of them: ${command}`);
}

function foreign(name: string, { name: endpoint }: WantedEndpoint): Error {
  return refused(
    `The engine has a Nexus endpoint "${endpoint}" that is not exactly as the deployer makes it: it is somebody else's, and is left alone.`,
    `Name another one in environments/${name}.yaml: nexus: { endpoint: … }`,
  );
}

async function onEngine(
  context: CliContext,
  { env }: NexusOptions,
  work: (client: Client, environment: Environment, wanted: WantedEndpoint) => Promise<ExitCode>,
): Promise<ExitCode> {
  const environment = await loadEnvironment(env, context.config);
  const connections = await resolveConnections(environment, context.config);
  const client = await openEngine(environment, connections);
  try {
    return await work(
      client,
      environment,
      wantedEndpoint(env, connections.engine.namespace, environment.nexus?.endpoint),
    );
  } finally {
    await closeTemporal(client).catch(() => undefined);
  }
}
