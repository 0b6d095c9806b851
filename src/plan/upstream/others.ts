/** The charts of Argo CD, HashiCorp, CloudNativePG, MinIO, Jaeger and the Prometheus community. */
import { mergeTrees } from '../../environment/files/merge.ts';
import { RESOURCE_POLICY } from '../inputs/helm-marks.ts';
import { upstreamVaultValues } from '../vault/values.ts';
import {
  aliasService,
  imageTag,
  ingressValues,
  nodePort,
  pullSecrets,
  resources,
  secretName,
  volume,
  type ChartValues,
} from './context.ts';

const argoCd: ChartValues = (context) => ({
  global: { imagePullSecrets: pullSecrets(context), ...imageTag(context) },
  // The Secret argocd-secret is made from Vault.
  configs: { secret: { createSecret: false } },
  server: { replicas: context.replicas, ...resources(context) },
});

const vault: ChartValues = (context) => ({
  global: {
    imagePullSecrets: pullSecrets(context),
    // Its own probes and address follow from that, not from the configuration of the listener.
    ...(context.environment.vault.tls === undefined ? {} : { tlsDisable: false }),
  },
  server: {
    ...imageTag(context),
    dataStorage: volume(context),
    serviceAccount: { name: context.release.name },
    ...upstreamVaultValues(context.service, context.environment),
    ...resources(context),
  },
});

const cloudnativePg: ChartValues = (context) => ({
  ...imageTag(context),
  imagePullSecrets: pullSecrets(context),
  replicaCount: context.replicas,
  ...resources(context),
});

const minio: ChartValues = (context) => {
  const instance = { 'app.kubernetes.io/instance': context.release.name };
  const consolePort = nodePort(context, 'console');
  const ingress = ingressValues(context);
  return {
    ...imageTag(context),
    imagePullSecrets: pullSecrets(context),
    existingSecret: secretName(context),
    // The chart's account has a fixed name, so that two releases in one namespace would collide.
    serviceAccount: { create: true, name: context.release.name },
    persistence: { ...volume(context), annotations: { [RESOURCE_POLICY]: 'keep' } },
    consoleService: consolePort === undefined ? { type: 'ClusterIP' } : { type: 'NodePort', nodePort: consolePort },
    ...(ingress === undefined
      ? {}
      : { consoleIngress: { ...ingress.common, path: '/', hosts: [ingress.host], tls: ingress.tls } }),
    // The chart labels by its own rules; everybody here looks for the instance.
    podLabels: instance,
    additionalLabels: instance,
    ...resources(context),
  };
};

const jaeger: ChartValues = (context) => ({
  allInOne: {
    ...mergeTrees(imageTag(context), { image: { pullSecrets: context.environment.images.pullSecrets } }),
    ...resources(context),
  },
  extraObjects: [aliasService(context, { 'app.kubernetes.io/component': 'all-in-one' })],
});

const redisExporter: ChartValues = (context) => ({
  ...mergeTrees(imageTag(context), { image: { pullSecrets: context.environment.images.pullSecrets } }),
  serviceAccount: { create: true, name: context.release.name },
  ...resources(context),
});

export const OTHER_CHARTS: Record<string, ChartValues> = {
  'argo-cd': argoCd,
  vault,
  'cloudnative-pg': cloudnativePg,
  minio,
  jaeger,
  'prometheus-redis-exporter': redisExporter,
};
