/** What `verify --deep` asks, for another team's workflow; with drift where that was asked for, too. */
import { executeChild, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { DriftInput } from '../../contract/drift.ts';
import type { VerifyRequest } from '../../contract/nexus/messages.ts';
import type { VerifyOutput } from '../../contract/nexus/service.d.ts';
import { taskQueueOf } from '../../contract/names.ts';
import type { RunRef } from '../../contract/operations/deploy.ts';
import { boundedLines } from '../../plan/nexus/output.ts';
import { looksOf } from '../activity-proxies.ts';
import { drift } from '../drift.ts';
import { failureOf } from '../failure-of.ts';

/** Changes nothing, and needs no lock. That something is not well is an answer, and no failure. */
export async function verification(request: VerifyRequest): Promise<VerifyOutput> {
  const { environment, clusterUid, requestedBy } = request;
  const { workflowId, runId } = workflowInfo();
  const run: RunRef = { environment, imageTags: {}, clusterUid, workflowId, runId, requestedBy };
  const [{ unwell }, drifted] = await Promise.all([
    looksOf(taskQueueOf(environment)).lookAtPlatform.executeWithOptions(
      { summary: 'Asks every service, and makes every check' },
      [run],
    ),
    request.drift ? driftOf(environment, clusterUid) : [],
  ]);
  const all = [...unwell, ...drifted];
  return { environment, healthy: all.length === 0, unwell: boundedLines(all) };
}

async function driftOf(environment: string, clusterUid: string): Promise<string[]> {
  const input: DriftInput = { environment, clusterUid, mode: 'report', preview: true };
  try {
    const found = await executeChild(drift, {
      workflowId: `${workflowInfo().workflowId}/drift`,
      args: [input],
      staticSummary: `Drift of ${environment}`,
    });
    if (found.outcome === 'skipped') return [`drift: not looked at, ${found.reason ?? ''}`];
    return (found.report?.findings ?? []).map(
      ({ object, field, kind }) => `drift: ${object}${field === undefined ? '' : ` ${field}`} ${kind}`,
    );
  } catch (error) {
    if (isCancellation(error)) throw error;
    return [`drift: ${failureOf(error).message}`];
  }
}
