/** Gates: what an operation has to be allowed to do by people, and how they say so. */

/** As RBAC has subjects: a name, or a group, as the API server knows whoever asks. */
export type GateSubject = { user: string } | { group: string };

/** Of an environment, as it stands in a step of a plan. */
export interface GateRule {
  name: string;
  by: GateSubject[];
  /** Approvals of so many people. */
  count: number;
  /** Whoever asked for the operation does not count. */
  notSelf: boolean;
  /** An approval counts for so long. */
  expiresSeconds: number;
  /** Without enough of them for so long, the operation is refused. */
  waitSeconds: number;
  /** A plan that keeps all rules of the environment passes by itself. */
  autoApprove?: 'policy' | undefined;
}

export const DECISIONS = ['approve', 'reject'] as const;
export type Decision = (typeof DECISIONS)[number];

/** Update to an operation that waits at a gate. It proves nothing by itself: the attestation does. */
export interface DecideRequest {
  gate: string;
  /** Of the plan that was looked at. */
  digest: string;
  decision: Decision;
  /** Name of the object in the cluster that the API server has put the name of whoever decides on. */
  attestation: string;
  reason?: string;
}

export interface DecideAnswer {
  gate: string;
  /** As the API server knows them. */
  by: string;
  given: number;
  count: number;
}

/** Update: whoever started the operation says who they are. */
export interface IdentifyRequest {
  attestation: string;
  /** Of rings: in whose cluster it was made. */
  environment?: string;
}

/** What the API server says of who made an attestation. */
export interface Attested {
  user: string;
  groups: string[];
  /** What it is made for. */
  purpose: string;
  /** ISO 8601, by the API server's clock. */
  at: string;
}

export interface Approval {
  by: string;
  /** ISO 8601. */
  at: string;
  /** ISO 8601: it counts until then. */
  until: string;
}

/** How a gate stands, for people. */
export interface GateView {
  name: string;
  /** Of the plan that waits. */
  digest: string;
  /** Whose approval counts: `group release-managers`. */
  by: string[];
  count: number;
  given: Approval[];
  /** As the API server knows them; absent: nobody has proved to have asked. */
  requester?: string | undefined;
}
