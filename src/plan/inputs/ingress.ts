/** How a service is reached from outside by its name, where the environment has an ingress controller. */
import type { Service } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';

export interface Ingress {
  /** `auth.ananta.example` */
  host: string;
  /** Name of the Service's port. */
  port: string;
  className?: string;
  annotations: Record<string, string>;
  /** Secret with the certificate; absent where something in front ends TLS. */
  tlsSecret?: string;
}

const CLUSTER_ISSUER = 'cert-manager.io/cluster-issuer';

function hostOf({ domain }: Pick<Environment, 'domain'>, { name }: NonNullable<Service['publicHost']>): string {
  return `${name}.${domain}`;
}

/** Address that people use, whoever ends TLS for it; undefined for a service that is reached from inside only. */
export function publicAddress(
  environment: Pick<Environment, 'domain'>,
  { publicHost }: Pick<Service, 'publicHost'>,
): string | undefined {
  return publicHost === undefined ? undefined : `https://${hostOf(environment, publicHost)}`;
}

/** @returns undefined for a service without a public host, and where the environment has no ingress */
export function ingressOf(
  environment: Pick<Environment, 'domain' | 'ingress'>,
  { name, publicHost }: Pick<Service, 'name' | 'publicHost'>,
): Ingress | undefined {
  const { ingress } = environment;
  if (ingress === undefined || publicHost === undefined) return undefined;
  const { className, tls } = ingress;
  const issued = tls !== undefined && 'clusterIssuer' in tls;
  return {
    host: hostOf(environment, publicHost),
    port: publicHost.port,
    ...(className === undefined ? {} : { className }),
    annotations: { ...ingress.annotations, ...(issued ? { [CLUSTER_ISSUER]: tls.clusterIssuer } : {}) },
    ...(tls === undefined ? {} : { tlsSecret: issued ? `${name}-tls` : tls.secretName }),
  };
}
