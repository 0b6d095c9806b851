/**
 * What an environment says about the deployer itself, where it runs in the target cluster: its engine and its workers.
 */
import { z } from 'zod';
import { ENGINE_NAMESPACE } from '../../contract/names.ts';
import { imageReference } from './formats/images.ts';
import { objectName, pathSegmentName } from './formats/kubernetes-names.ts';
import { containerResources, volumeSize } from './formats/quantity.ts';
import { temporalNamespace } from './formats/texts.ts';

/** NAME:TAG or NAME@sha256:DIGEST; a tag is never left out, since it would not be clear which version runs. */
export const imageReferenceSchema = imageReference(true);

export const inClusterEngineSchema = z.strictObject({
  inCluster: z
    .strictObject({
      namespace: temporalNamespace.default(ENGINE_NAMESPACE).describe('Temporal namespace of the deployments'),
      retentionDays: z
        .number()
        .int()
        .min(1)
        .max(365)
        .default(90)
        .describe('How long the history of a finished deployment can be looked at'),
      historyShards: z
        .number()
        .int()
        .min(1)
        .max(4096)
        .default(128)
        .describe('Cannot be changed once the engine has data'),
      replicas: z.number().int().min(1).max(5).default(1).describe('Temporal servers, each with all of its roles'),
      storage: z
        .strictObject({
          class: objectName('a StorageClass')
            .optional()
            .describe("StorageClass; absent: storage.class, else the cluster's default"),
          size: volumeSize.default('10Gi'),
        })
        .prefault({})
        .describe("Volume of the engine's PostgreSQL"),
      resources: z
        .strictObject({ database: containerResources.optional(), server: containerResources.optional() })
        .prefault({})
        .describe('Kubernetes resources'),
    })
    .describe('Temporal on PostgreSQL in the target cluster, installed by: npm run ananta -- install'),
});

export const deployerSchema = z.strictObject({
  image: imageReferenceSchema.optional().describe("Image made from this repository's Dockerfile; install --image wins"),
  clusterRole: pathSegmentName('a ClusterRole')
    .optional()
    .describe(
      'ClusterRole of yours that install binds the workers to; absent: it makes the roles that npm run ananta -- rbac show prints',
    ),
  replicas: z.number().int().min(1).max(20).default(2).describe('Workers'),
  resources: containerResources.optional().describe('Kubernetes resources of one worker'),
});
