/**
 * How a person proves to a worker who they are, without a secret on the way: they make a CertificateSigningRequest with
 * their own credentials. The API server writes the name and the groups of whoever makes it into its `spec`, which
 * nobody can change afterwards, and keeps `signerName` as it was. What it is made for stands there. Nobody signs it: no
 * signer has that name, and Kubernetes removes what is pending after a day. Pure.
 */
import type { Attested, Decision } from '../../contract/admission/approvals.ts';

export const SIGNER_DOMAIN = 'ananta.dev';

/** `ananta.dev/approve.release.0123456789abcdef.<run>` */
export function decisionPurpose(decision: Decision, gate: string, digest: string, runId: string): string {
  return `${SIGNER_DOMAIN}/${decision}.${gate}.${digest}.${runId}`;
}

export function requestPurpose(runId: string): string {
  return `${SIGNER_DOMAIN}/request.${runId}`;
}

/** Of an operation that waits for the end of a freeze; before it is started, see `overridePurpose` of the effect. */
export function waitingOverridePurpose(runId: string): string {
  return `${SIGNER_DOMAIN}/override-freeze.${runId}`;
}

/** @returns undefined for what is no attestation */
export function attestedBy(object: unknown): Attested | undefined {
  const { spec, metadata } = object as {
    spec?: { username?: unknown; groups?: unknown; signerName?: unknown };
    metadata?: { creationTimestamp?: unknown };
  };
  const { username, groups, signerName } = spec ?? {};
  const at = metadata?.creationTimestamp;
  if (typeof username !== 'string' || username === '' || typeof signerName !== 'string' || typeof at !== 'string')
    return undefined;
  if (!signerName.startsWith(`${SIGNER_DOMAIN}/`)) return undefined;
  const among = Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
  return { user: username, groups: among, purpose: signerName, at: new Date(at).toISOString() };
}
