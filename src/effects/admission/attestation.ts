/** Who approves, overrides or asks: the API server records the user name on an object that the person creates. */
import { createHash, randomUUID } from 'node:crypto';
import type { Clients } from '../../clients/index.ts';
import { type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { OverrideRequest } from '../../contract/admission/freeze.ts';
import { attestedBy, SIGNER_DOMAIN } from '../../plan/admission/attestation.ts';
import type { EffectScope } from '../effect.ts';

/** Its name comes with a message of anybody: only what `makeAttestation` makes is looked up. */
const NAME = /^ananta-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function readAttestation(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  { name, override }: InputOf<'readAttestation'>,
  scope: EffectScope,
): OutputOf<'readAttestation'> {
  scope.doing('asks the API server who decides');

  if (!NAME.test(name)) return {};
  const object = await kubernetes.get(paths.certificateSigningRequest(name), scope.signal);
  const attested = object && attestedBy(object);
  if (attested === undefined || (override && attested.purpose !== overridePurpose(override))) return {};
  return { attested };
}

/** Bound to what was asked for, and why. Here, since workflows have no digests. */
export function overridePurpose({ environment, clusterUid, operation, reason, asks }: OverrideRequest): string {
  const asked = JSON.stringify([environment, clusterUid, operation, reason, asks]);
  return `${SIGNER_DOMAIN}/override-freeze.${createHash('sha256').update(asked).digest('hex').slice(0, 32)}`;
}

/** With the credentials of whoever runs the command. @returns its name @throws KubernetesError */
export async function makeAttestation(
  kubernetes: Pick<KubernetesClient, 'create'>,
  purpose: string,
  signal?: AbortSignal,
): Promise<string> {
  const name = `ananta-${randomUUID()}`;
  await kubernetes.create(paths.certificateSigningRequests, attestationObject(name, purpose), signal);
  return name;
}

function attestationObject(name: string, purpose: string): object {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy' } },
    spec: { request: REQUEST, signerName: purpose, usages: ['client auth'] },
  };
}

/**
 * The API server demands a well-formed certificate request. This one is the same for everybody and its private key was
 * deleted, so a certificate for it would be useless.
 */
const REQUEST = Buffer.from(
  `-----BEGIN CERTIFICATE REQUEST-----
MIHWMH8CAQAwHTEbMBkGA1UEAwwSYW5hbnRhLWF0dGVzdGF0aW9uMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEECW0NtKFH3NCxeE7YDU+WgRbJ5s83NjhFIZhkNwA
YSCGBhiXQLaPmhIoFJ2m9xSX0GmUo3BKm+FJml1ead8gs6AAMAoGCCqGSM49BAMC
A0cAMEQCIHEvivea5o7SU9xz1F8HSCm5EEPhUmcoRIDXvHA9FTY/AiAo+wsSdMFH
Ku559pr5cKRTbEhdhw2r4bV61/hgPwESXQ==
-----END CERTIFICATE REQUEST-----
`,
).toString('base64');
