/**
 * Who wrote a revision of a release. Helm hands labels on to the next revision, whoever makes that one, so labels alone
 * prove nothing: a revision of ours bears a keyed proof of its own number, uid and content. Pure; the key is read by
 * others.
 */
import { createHmac } from 'node:crypto';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { sorted } from '../sorted.ts';
import type { ObservedRelease, Provenance } from '../observed.ts';

export interface ProofKey {
  /** Identifies the key; nothing of the key can be learned from it. */
  id: string;
  /** @returns hex characters, as many as asked for */
  sign(text: string, characters: number): string;
}

/** What a proof is about. */
export interface ProofSubject {
  namespace: string;
  /** Of the release. */
  name: string;
  revision: number;
  /** Of the Secret that holds the revision. */
  uid: string;
  labels: Readonly<Record<string, string>>;
}

/** A revision with everything from which its provenance is decided. */
export interface JudgedRevision extends ObservedRelease {
  secret: { namespace: string; uid: string };
  /** Of the release. */
  name: string;
  /** Field manager that wrote its content last, as the API server saw it; `unknown` where it keeps no such record. */
  manager: string;
  /** ISO 8601: when the API server first saw the Secret. */
  created?: string;
}

export interface Proofs {
  /** Absent: Vault holds it, and could not be asked. */
  key?: ProofKey;
  /** ISO 8601: since when each revision of ours is proved. Older ones without a proof count by their labels. */
  since?: string;
  /** Why there is no key. */
  reason?: string;
}

/** Given to Helm as the value of a label, it leaves the label of the revision before out. */
export const NO_PROOF = 'null';
/** In whose name Helm writes its records. */
const HELM_MANAGERS: readonly string[] = ['Helm', 'helm', 'ananta-deploy', 'unknown'];
const [ID_LENGTH, UID_LENGTH, CONTENT_LENGTH, MAC_LENGTH] = [6, 8, 16, 24];
/** Labels that a proof vouches for. */
const VOUCHED = [
  RELEASE_LABELS.environment,
  RELEASE_LABELS.service,
  RELEASE_LABELS.run,
  RELEASE_LABELS.digest,
  RELEASE_LABELS.charts,
];

export function proofKey(secret: string): ProofKey {
  const key = createHmac('sha256', secret).update('ananta-deploy: proof of a revision').digest();
  const sign = (text: string, characters: number): string =>
    createHmac('sha256', key).update(text).digest('hex').slice(0, characters);
  return { id: sign('id', ID_LENGTH), sign };
}

/**
 * Of what does not change when a revision is superseded, uninstalled or tested: manifest, chart, values, hooks.
 * @param stored as Helm recorded it
 */
export function contentHash(key: ProofKey, stored: Readonly<Record<string, unknown>>): string {
  const { name, namespace, version, manifest, chart, config, hooks } = stored;
  const withoutRuns = Array.isArray(hooks) ? hooks.map((hook: object) => ({ ...hook, last_run: null })) : [];
  return key.sign(
    JSON.stringify([
      'content',
      name,
      namespace,
      version,
      manifest,
      sorted(chart),
      sorted(config ?? {}),
      sorted(withoutRuns),
    ]),
    CONTENT_LENGTH,
  );
}

/** Value of the label: key, Secret, content and signature, at most 63 characters. */
export function proofOf(key: ProofKey, subject: ProofSubject, content: string): string {
  return [key.id, uidPart(subject), content, signatureOf(key, subject, content)].join('.');
}

/** The content that a proof vouches for; undefined without one. */
export function provedContent(labels: Readonly<Record<string, string>>): string | undefined {
  return labels[RELEASE_LABELS.proof]?.split('.')[2];
}

/**
 * Whether the record of a revision holds something else than what its proof vouches for. Metadata cannot show that:
 * whoever edits a record may do so in Helm's name.
 * @param content of the proof
 * @param stored as Helm recorded it; undefined: it cannot be read
 */
export function isEdited(
  key: ProofKey,
  content: string | undefined,
  stored: Readonly<Record<string, unknown>> | undefined,
): boolean {
  return content !== undefined && (stored === undefined || contentHash(key, stored) !== content);
}

/**
 * Of one release.
 * @param revisions all that Helm has
 * @returns the same, each with its provenance
 */
export function judged<T extends JudgedRevision>(
  revisions: readonly T[],
  { key, since }: Proofs,
): (T & { provenance: Provenance })[] {
  return revisions.map((revision) => {
    const told = provenanceOf(revision, key);
    const byLabels = told === 'unproven' || told === 'unknown';
    const late =
      told === 'unproven' && since !== undefined && revision.created !== undefined && revision.created >= since;
    return { ...revision, provenance: byLabels && (late || !isFirstOfItsRun(revision, revisions)) ? 'foreign' : told };
  });
}

/**
 * Whether a release is ours: any of its revisions is, even where somebody has edited its record since. Upgraded by hand
 * it stays ours; uninstalled and installed anew by somebody it is theirs.
 * @param revisions all that Helm has of it, judged
 * @param formerly environments that it took the cluster over from
 */
export function isOurs(
  revisions: readonly ObservedRelease[],
  environment: string,
  formerly: readonly string[] = [],
): boolean {
  return revisions.some(
    (revision) =>
      [environment, ...formerly].includes(revision.labels[RELEASE_LABELS.environment] ?? '') &&
      (revision.provenance !== 'foreign' || isFirstOfItsRun(revision, revisions)),
  );
}

function provenanceOf(revision: JudgedRevision, key: ProofKey | undefined): Provenance {
  const {
    labels,
    manager,
    secret: { namespace, uid },
    name,
  } = revision;
  if (
    labels[RELEASE_LABELS.run] === undefined ||
    labels[RELEASE_LABELS.digest] === undefined ||
    !HELM_MANAGERS.includes(manager)
  )
    return 'foreign';
  const proof = labels[RELEASE_LABELS.proof];
  // Helm keeps the word by which a label is to be left out, where there was no label to leave out.
  if (proof === undefined || proof === NO_PROOF) return 'unproven';
  const [id = '', part, content = '', signature] = proof.split('.');
  const subject = { namespace, name, revision: revision.revision, uid, labels };
  // Copied by Helm from the revision before: that can be seen without the key.
  if (part !== uidPart(subject)) return 'foreign';
  if (key?.id !== id) return 'unknown';
  return signature === signatureOf(key, subject, content) ? 'ours' : 'foreign';
}

/** A run of ours never writes the same content twice: what bears run and digest of an older revision is a copy. */
export function isFirstOfItsRun({ revision, labels }: ObservedRelease, all: readonly ObservedRelease[]): boolean {
  const [run, digest] = [labels[RELEASE_LABELS.run], labels[RELEASE_LABELS.digest]];
  if (run === undefined || digest === undefined) return false;
  return !all.some(
    (other) =>
      other.revision < revision &&
      other.labels[RELEASE_LABELS.run] === run &&
      other.labels[RELEASE_LABELS.digest] === digest,
  );
}

/** Whether the health check of this very revision has succeeded once; of a Job the receipt that it has completed. */
export function isVerified({ revision, labels }: Pick<ObservedRelease, 'revision' | 'labels'>): boolean {
  return labels[RELEASE_LABELS.proven] === String(revision);
}

/** Whether Helm wrote it, not somebody who edited Helm's record. */
export function isWrittenByHelm(manager: string): boolean {
  return HELM_MANAGERS.includes(manager);
}

function uidPart({ uid }: Pick<ProofSubject, 'uid'>): string {
  return uid.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, UID_LENGTH);
}

function signatureOf(key: ProofKey, { namespace, name, revision, uid, labels }: ProofSubject, content: string): string {
  return key.sign(
    JSON.stringify(['revision', namespace, name, revision, uid, VOUCHED.map((label) => labels[label] ?? ''), content]),
    MAC_LENGTH,
  );
}

/**
 * The description that Helm records with a revision. It is part of the record, and no later revision takes it over: so
 * a run that was interrupted before it could write the proof knows its own revision.
 */
export function descriptionOf(runId: string, digest: string): string {
  return `Applied by ananta-deploy: run ${runId}, digest ${digest}`;
}

/** @returns the run that a description names, if it names this digest */
export function runOfDescription(description: string | undefined, digest: string | undefined): string | undefined {
  const found = /^Applied by ananta-deploy: run (\S+), digest (\S+)$/.exec(description ?? '');
  return found?.[2] !== undefined && found[2] === digest ? found[1] : undefined;
}
