/** Bitnami's charts, in the lines of the catalog. Their images are set in helm/values/upstream/<chart>.yaml. */
import type { Tree } from '../../environment/files/merge.ts';
import { findService } from '../releases.ts';
import {
  aliasService,
  fixedValue,
  imageVersion,
  ingressValues,
  nodePort,
  nodePortService,
  resources,
  secretName,
  secretWithKey,
  volume,
  type ChartValues,
  type UpstreamContext,
} from './context.ts';

const POSTGRES_PORT = 5432;

const common = (context: UpstreamContext): Tree => ({
  ...imageVersion(context),
  global: { imagePullSecrets: context.environment.images.pullSecrets },
  serviceAccount: { create: true, name: context.release.name },
});

/**
 * Roles and databases are made by the Job after it, as with the bundled chart: scripts of the image run on an empty
 * volume only.
 */
const postgresql: ChartValues = (context) => ({
  ...common(context),
  auth: {
    existingSecret: secretName(context),
    secretKeys: { adminPasswordKey: 'postgres-password', userPasswordKey: 'password' },
  },
  primary: { persistence: volume(context), ...resources(context) },
});

const redis: ChartValues = (context) => ({
  ...common(context),
  // The server has an account of its own.
  serviceAccount: { create: false },
  auth: { existingSecret: secretName(context), existingSecretPasswordKey: 'redis-password' },
  master: {
    persistence: volume(context),
    serviceAccount: { create: true, name: context.release.name },
    // For redis-cli, as the health check calls it.
    extraEnvVars: [
      { name: 'REDISCLI_AUTH', valueFrom: { secretKeyRef: { name: secretName(context), key: 'redis-password' } } },
    ],
    ...resources(context),
  },
  extraDeploy: [aliasService(context, { 'app.kubernetes.io/component': 'master' })],
});

const rabbitmq: ChartValues = (context) => ({
  ...common(context),
  auth: {
    username: fixedValue(context, 'username'),
    existingPasswordSecret: secretName(context),
    existingSecretPasswordKey: 'rabbitmq-password',
    existingErlangSecret: secretName(context),
    existingSecretErlangKey: 'rabbitmq-erlang-cookie',
  },
  persistence: volume(context),
  // As a NodePort the chart's own Service would open all its ports, on numbers that may be another service's.
  service: { type: 'ClusterIP' },
  extraDeploy: [nodePortService(context, 'management', { 'app.kubernetes.io/name': 'rabbitmq' })],
  ...resources(context),
});

const mongodb: ChartValues = (context) => {
  const user = fixedValue(context, 'username');
  return {
    ...common(context),
    auth: { existingSecret: secretName(context), usernames: [user], databases: [user] },
    persistence: volume(context),
    ...resources(context),
  };
};

const keycloak: ChartValues = (context) => {
  const database = context.catalog.databases.find(({ server, name }) =>
    context.service.databases.includes(`${server}/${name}`),
  );
  if (database === undefined) throw new Error('Keycloak has no database in the catalog.');
  const server = findService(context.catalog, database.server);
  const admin = secretWithKey(context, 'admin-password');
  const ingress = ingressValues(context);
  return {
    ...common(context),
    auth: {
      adminUser: fixedValue(context, 'admin-username'),
      existingSecret: secretName(context, admin),
      passwordSecretKey: 'admin-password',
    },
    externalDatabase: {
      host: `${server.name}.${server.namespace}.svc`,
      port: POSTGRES_PORT,
      user: database.owner,
      database: database.name,
      existingSecret: secretName(
        context,
        context.release.secrets.findIndex(({ path }) => path === database.password.path),
      ),
      existingSecretPasswordKey: database.password.key,
    },
    replicaCount: context.replicas,
    service: {
      type: 'NodePort',
      ports: { http: context.service.ports[0]?.port },
      nodePorts: { http: nodePort(context, 'http') },
    },
    // The chart's own key for TLS makes up the Secret's name.
    ...(ingress === undefined
      ? {}
      : { ingress: { ...ingress.common, hostname: ingress.host, pathType: 'Prefix', extraTls: ingress.tls } }),
    ...resources(context),
  };
};

export const BITNAMI_CHARTS: Record<string, ChartValues> = { postgresql, redis, rabbitmq, mongodb, keycloak };
