/**
 * Who has asked for a Nexus operation, by what the engine says of it. When a workflow starts an operation, the engine
 * writes a link to that very event into the request. What the caller writes, in its input or in headers, counts for
 * nothing. Pure.
 */

/** As Nexus hands links on. */
export interface RequestLink {
  url: URL;
  type: string;
}

export interface NexusCaller {
  namespace: string;
  workflowId: string;
  runId: string;
}

const WORKFLOW_EVENT = 'temporal.api.common.v1.Link.WorkflowEvent';

/**
 * Of several links nobody could say which one is the engine's: then nobody is known.
 * @returns undefined where no workflow has asked, but somebody over HTTP
 */
export function callerOf(links: readonly RequestLink[]): NexusCaller | undefined {
  const [link, ...others] = links;
  if (link === undefined || others.length > 0 || link.type !== WORKFLOW_EVENT) return undefined;
  if (link.url.protocol !== 'temporal:') return undefined;
  const match = /^\/namespaces\/([^/]+)\/workflows\/([^/]+)\/([^/]+)\/history$/.exec(link.url.pathname);
  const [namespace, workflowId, runId] = (match ?? []).slice(1).map(decoded);
  return namespace === undefined || workflowId === undefined || runId === undefined
    ? undefined
    : { namespace, workflowId, runId };
}

/** For the audit: `nexus:payments/release-42`. */
export function callerText({ namespace, workflowId }: NexusCaller): string {
  return `nexus:${namespace}/${workflowId.replaceAll(/\p{Cc}/gu, '?').slice(0, LONGEST)}`;
}

const LONGEST = 200;

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
