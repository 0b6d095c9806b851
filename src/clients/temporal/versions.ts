/**
 * Versions of the workers' code as the engine keeps them: a workflow stays with the version that began it (`PINNED`),
 * and begins with the one that is current.
 */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type proto from '@temporalio/proto';
import { taskQueueOf, workerDeploymentOf } from '../../contract/names.ts';
import { forgiving } from './encryption/readable.ts';
import { EngineAccessError } from './errors.ts';
import { GRPC, grpcCode, grpcText, MINIMAL_SERVER } from './connection/problems.ts';

export interface WorkerVersions {
  /** What new workflows begin with; undefined: none was ever named, and new workflows wait. */
  current: string | undefined;
  /** Build id to when a worker first asked for work with it, in milliseconds. */
  known: ReadonlyMap<string, number>;
}

/** Pinned by this search attribute, which the engine keeps itself: `DEPLOYMENT:BUILD`. */
const VERSION_ATTRIBUTE = 'TemporalWorkerDeploymentVersion';

/** @throws EngineAccessError where the server has no worker versions */
export async function workerVersions(client: Client, environment: string): Promise<WorkerVersions> {
  try {
    const { workerDeploymentInfo } = await client.workflowService.describeWorkerDeployment({
      namespace: client.options.namespace,
      deploymentName: workerDeploymentOf(environment),
    });
    const known = new Map(
      (workerDeploymentInfo?.versionSummaries ?? []).flatMap(({ deploymentVersion, createTime }): [string, number][] =>
        deploymentVersion?.buildId
          ? [[deploymentVersion.buildId, Number(createTime?.seconds ?? 0) * 1000 + (createTime?.nanos ?? 0) / 1e6]]
          : [],
      ),
    );
    return { current: workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? undefined, known };
  } catch (error) {
    if (grpcCode(error) === GRPC.notFound) return { current: undefined, known: new Map() };
    throw unsupported(error) ?? error;
  }
}

/** New workflows begin with it. Its workers have to have asked for work before. */
export async function setCurrentVersion(
  client: Client,
  environment: string,
  buildId: string,
  identity: string,
): Promise<void> {
  await client.workflowService.setWorkerDeploymentCurrentVersion({
    namespace: client.options.namespace,
    deploymentName: workerDeploymentOf(environment),
    buildId,
    identity,
  });
}

/** @returns build ids that running workflows of the environment are pinned to */
export async function buildsAtWork(client: Client, environment: string): Promise<Set<string>> {
  const builds = new Set<string>();
  for await (const { raw } of forgiving(client).workflow.list({
    query: `TaskQueue = '${taskQueueOf(environment)}' AND ExecutionStatus = 'Running'`,
  })) {
    const value = raw.searchAttributes?.indexedFields?.[VERSION_ATTRIBUTE];
    const version = value ? defaultPayloadConverter.fromPayload(value) : undefined;
    if (typeof version === 'string') builds.add(version.slice(version.lastIndexOf(':') + 1));
  }
  return builds;
}

/** @returns the build id that a described workflow is pinned to */
export function pinnedTo(
  described: proto.temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse,
): string | undefined {
  return described.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
}

/** Older servers know nothing of it, and newer ones let it be switched off. */
function unsupported(error: unknown): EngineAccessError | undefined {
  const text = grpcText(error);
  if (grpcCode(error) !== GRPC.unimplemented && !/(versioning|deployments?).*(disabled|not enabled)/i.test(text))
    return undefined;
  return new EngineAccessError(
    `The engine does not keep versions of workers (${text}): a deployment could not be kept on the code that it began with.`,
    [`Use Temporal ${MINIMAL_SERVER} or newer, with system.enableDeploymentVersions left on.`],
    error,
  );
}
