/**
 * The shape of a file in environments/: where and how the platform is deployed. A file may name another one with
 * `extends`; objects are merged key by key, everything else is replaced. Descriptions go into the JSON Schema that
 * editors show: what they say is what a platform engineer reads.
 */
import { z } from 'zod';
import { DRIFT_MODES } from '../contract/drift.ts';
import { AFTER_FAILURE } from '../contract/operations/steering.ts';
import { CHART_SOURCES, chartMirrorSchema } from './fields/charts.ts';
import { deployerSchema, inClusterEngineSchema } from './fields/deployer.ts';
import { domain, filePath, hostName, hostPort, repositoryAddress } from './fields/formats/addresses.ts';
import { imagePrefix, imageReference, imageVersion } from './fields/formats/images.ts';
import { annotations, labelName, objectName } from './fields/formats/kubernetes-names.ts';
import { leases } from './fields/leases.ts';
import { containerResources, volumeSize } from './fields/formats/quantity.ts';
import { oneLine, refuseRepetitions, seconds, temporalNamespace } from './fields/formats/texts.ts';
import { DEFAULT_PLATFORM } from './platform-folder.ts';
import { encryptionSchema } from './fields/encryption.ts';
import { telemetrySchema } from './fields/telemetry.ts';
import { backupSchema, checkpointsSchema } from './fields/backup/backup.ts';
import { rotationSchema } from './fields/rotation.ts';
import { approvalsSchema } from './fields/approvals.ts';
import { nexusSchema } from './fields/nexus.ts';
import { notifySchema } from './fields/notify.ts';
import { freezeSchema } from './fields/freeze.ts';
import { policySchema } from './fields/policy.ts';
import { outputsSchema } from './fields/outputs.ts';
import { valuesSchema } from './fields/values.ts';
import { vaultSchema } from './fields/vault.ts';
import { prometheusSchema, verificationSchema } from './fields/verification.ts';

/** Of one service: more pods than that are a slip of the hand. */
const MOST_REPLICAS = 1000;

const realNodeSchema = z.strictObject({
  services: z
    .union([z.enum(['public', 'all']), z.array(z.string().min(1))])
    .default('public')
    .describe(
      "Whose pods are real: public (services all of whose images are public ones, not the platform's own), all, or a list of names. All other pods are simulated",
    ),
  except: z.array(z.string().min(1)).default([]).describe('Services that stay simulated all the same'),
  subnet: z
    .string()
    .regex(
      /^\d+\.\d+\.\d+\.\d+\/(8|9|1\d|2[0-2])$/,
      'has to be a range of addresses of 8 to 22 bits, such as 10.231.0.0/16',
    )
    .optional()
    .describe(
      'Addresses of the node and its pods, reachable from this machine only; default: a free range between 10.200.0.0/16 and 10.249.0.0/16',
    ),
  egress: z
    .boolean()
    .default(false)
    .describe(
      'Whether pods, and whoever pulls their images, may reach beyond this machine. It switches on forwarding and one table of nftables until `down`',
    ),
});

const embeddedClusterSchema = z.strictObject({
  embedded: z
    .strictObject({
      nodes: z.number().int().min(1).max(100).default(3).describe('Simulated nodes'),
      realNode: realNodeSchema
        .optional()
        .describe('A real Kubernetes node on this machine beside the simulated ones; needs Linux, root and containerd'),
    })
    .describe('A Kubernetes control plane on this machine, with simulated nodes and pods'),
});
const kindClusterSchema = z.strictObject({
  kind: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9.-]{0,49}$/, 'has to be small letters, digits, dots and dashes')
        .optional()
        .describe('Default: ananta-<environment>'),
      workers: z.number().int().min(0).max(10).default(0).describe('Nodes besides the control plane'),
      image: imageReference(false).optional().describe('Node image; default: that of the installed kind'),
    })
    .describe('A cluster with real pods on this machine, made by kind with Docker or podman'),
});
const externalClusterSchema = z.strictObject({
  context: oneLine().describe("Context of the kubeconfig; in-cluster uses the pod's own identity"),
  kubeconfig: filePath.optional().describe('Default: KUBECONFIG, then ~/.kube/config'),
});

const embeddedEngineSchema = z.strictObject({
  embedded: z.literal(true).describe("Temporal on this machine, its database in the environment's state folder"),
});
const externalEngineSchema = z.strictObject({
  address: hostPort.describe('host:port of the Temporal that runs deployments'),
  namespace: temporalNamespace.describe('Temporal namespace; it has to exist'),
  tls: z
    .union([
      z.boolean(),
      z.strictObject({
        ca: filePath.optional(),
        cert: filePath.optional(),
        key: filePath.optional(),
        serverName: hostName.optional(),
      }),
    ])
    .default(false)
    .describe('true, or files with certificates'),
  apiKeyFile: filePath
    .optional()
    .describe('File that holds the API key; the key itself never stands in an environment file'),
});

const ingressSchema = z
  .strictObject({
    className: objectName('an IngressClass').optional().describe("IngressClass; absent: the cluster's default"),
    controllerNamespace: labelName('a namespace')
      .default('ingress-nginx')
      .describe("Namespace of the controller's pods: network policies let it through"),
    tls: z
      .union([
        z.strictObject({
          secretName: objectName('a Secret').describe(
            'Certificate for *.domain; it has to exist in each namespace with a public service',
          ),
        }),
        z.strictObject({
          clusterIssuer: objectName('a ClusterIssuer').describe(
            'ClusterIssuer of cert-manager, which makes a certificate for each host',
          ),
        }),
      ])
      .optional()
      .describe('Where certificates come from; absent: something in front of the controller ends TLS'),
    annotations: annotations.default({}).describe('Of every Ingress, for its controller'),
  })
  .describe('An Ingress for each public host of the catalog, below domain; absent: NodePorts only');

export const environmentFileSchema = z.strictObject({
  $schema: z.string().optional(),
  extends: z
    .string()
    .optional()
    .describe('Another file of this folder, without .yaml: what this file says comes on top'),
  description: oneLine().describe('One line for people'),
  platform: z
    .string()
    .min(1)
    .default(DEFAULT_PLATFORM)
    .describe(
      'What is deployed: a folder below platforms/ by its name, or one of your own by its path, as in ./shop. Not to be changed where another one is deployed',
    ),
  platformParameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('For a platform whose description is computed (platform.ts)'),
  protected: z
    .boolean()
    .default(false)
    .describe(
      "Commands that change something ask for the environment's name, destroying is refused; demands three servers of Vault, no unseal key in clear, and an engine and a cluster that are not embedded",
    ),
  cluster: z
    .union([embeddedClusterSchema, kindClusterSchema, externalClusterSchema])
    .describe('Where the platform is deployed'),
  engine: z
    .union([embeddedEngineSchema, inClusterEngineSchema, externalEngineSchema])
    .describe("The Temporal that runs deployments, not the platform's own"),
  deployer: deployerSchema
    .prefault({})
    .describe('Workers in the target cluster, installed by: npm run ananta -- install'),
  vault: vaultSchema.prefault({}).describe('The Vault inside the platform'),
  charts: z
    .enum(CHART_SOURCES)
    .describe(
      "bundled: charts of this repository on official images; upstream: the publishers' charts. Cannot be changed over existing data",
    ),
  chartOverrides: z
    .record(z.string(), z.enum(CHART_SOURCES))
    .default({})
    .describe(
      "Per service with a publisher's chart: bundled or upstream, whatever charts says. Cannot be changed over existing data",
    ),
  chartFolders: z
    .record(z.string(), filePath)
    .default({})
    .describe('Per release: a chart in a folder, whatever charts and chartOverrides say; relative to the checkout'),
  chartMirror: chartMirrorSchema.optional(),
  chartLock: filePath
    .optional()
    .describe(
      "Versions and digests of publishers' charts; default helm/charts.lock.yaml. Another file where a mirror serves charts that were packaged anew",
    ),
  domain: domain.describe('Domain below which the platform answers'),
  ingress: ingressSchema.optional(),
  suppliedSecrets: z
    .enum(['required', 'placeholder'])
    .default('required')
    .describe('Values that third parties issue: required from the operator, or generated placeholders'),
  secrets: z
    .strictObject({
      onChange: z
        .enum(['restart', 'list'])
        .default('restart')
        .describe(
          'What reads a Kubernetes Secret whose value has changed in Vault: its pods are replaced in the order of the graph, or it is only named. Servers that were initialised with the value are only named',
        ),
    })
    .prefault({}),
  images: z
    .strictObject({
      prefix: imagePrefix.describe("In front of the platform's own images, without a trailing slash"),
      tags: z.record(z.string(), imageVersion).default({}).describe('Tag or digest (sha256:…) per service'),
      pullSecrets: z
        .array(objectName('a Secret'))
        .superRefine(refuseRepetitions)
        .default([])
        .describe('Names of Secrets that exist in the namespaces'),
      licences: z
        .record(z.string().min(1), oneLine())
        .default({})
        .describe('Licence (SPDX) by repository, or by its beginning up to a slash; for rules of the policy'),
    })
    .describe('Where images come from'),
  replicas: z
    .strictObject({
      default: z
        .number()
        .int()
        .min(1)
        .max(MOST_REPLICAS)
        .default(1)
        .describe('Of every stateless service of the platform'),
      services: z.record(z.string(), z.number().int().min(0).max(MOST_REPLICAS)).default({}).describe('Per service'),
    })
    .prefault({}),
  resources: z.record(z.string(), containerResources).default({}).describe('Per service: Kubernetes resources'),
  storage: z
    .strictObject({
      class: objectName('a StorageClass').optional().describe("StorageClass; absent: the cluster's default"),
      sizes: z.record(z.string(), volumeSize).default({}).describe('Volume size per service, e.g. 10Gi'),
    })
    .prefault({}),
  values: valuesSchema,
  outputs: outputsSchema,
  gitops: z
    .strictObject({
      repoURL: repositoryAddress,
      targetRevision: z
        .string()
        .regex(/^[^\s\p{Cc}~^:?*[\\]+$/u, 'has to be a branch, a tag or a commit')
        .default('HEAD'),
      path: z
        .string()
        .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\p{Cc}]+$/u, 'has to be a folder of the repository, as in helm/charts')
        .default('helm/charts'),
    })
    .describe("Where Argo CD's Applications point: they show, they never synchronise by themselves"),
  helm: z
    .strictObject({
      concurrency: z
        .number()
        .int()
        .min(1)
        .max(32)
        .default(2)
        .describe('Helm processes at once; as many as cores is fastest'),
      timeoutSeconds: seconds(1).default(300).describe('Seconds until one helm upgrade is ended'),
    })
    .prefault({}),
  onFailure: z
    .enum([...AFTER_FAILURE, 'ask'])
    .default('stop')
    .describe(
      'When a service fails: stop (start nothing further, keep what there is), continue (independent branches go on), rollback (take back what this run changed), ask (wait for retry, skip or abandon)',
    ),
  ask: z
    .strictObject({
      forSeconds: seconds(1).default(7200).describe('How long an answer is waited for'),
      then: z.enum(AFTER_FAILURE).default('stop').describe('What follows without one'),
    })
    .prefault({})
    .describe('With onFailure: ask'),
  history: z
    .strictObject({
      versions: z
        .number()
        .int()
        .min(1)
        .max(500)
        .default(30)
        .describe('Platform versions kept in the cluster; Helm keeps the revisions that they need'),
    })
    .prefault({})
    .describe('What rollback can go back to'),
  drift: z
    .strictObject({
      mode: z
        .enum(DRIFT_MODES)
        .default('report')
        .describe('What a scheduled run does: repair, report, or off for no schedule'),
      everySeconds: seconds(1).default(900).describe('Seconds between scheduled runs'),
      flapLimit: z
        .number()
        .int()
        .min(1)
        .max(1000)
        .default(3)
        .describe(
          'Repairs of the same field within flapWindowSeconds after which it is left alone and somebody is asked',
        ),
      flapWindowSeconds: seconds().default(86_400),
      ignore: z
        .array(
          z.strictObject({
            kind: z.string().min(1).optional(),
            namespace: z.string().min(1).optional(),
            name: z.string().min(1).optional(),
            field: z
              .string()
              .min(1)
              .optional()
              .describe('Path such as spec.replicas; * stands for one part, a trailing ** for everything below'),
            reason: z.string().min(1).describe('For whoever reads this later'),
          }),
        )
        .default([])
        .describe('Differences that are no drift; absent parts match everything'),
    })
    .prefault({})
    .describe('Scheduled comparison of the cluster with what was deployed'),
  approvals: approvalsSchema.default([]),
  policy: policySchema,
  rehearsal: z
    .strictObject({
      certificate: filePath.describe(
        'File that rehearse has written (JSON), as the worker finds it; rules of the policy read it as plan.rehearsal',
      ),
    })
    .optional()
    .describe('What has to be rehearsed before it is deployed: policy says so'),
  freeze: freezeSchema.optional(),
  fields: leases,
  notify: notifySchema,
  nexus: nexusSchema.optional(),
  encryption: encryptionSchema
    .optional()
    .describe("Histories on the engine are encrypted with the environment's own keys; absent: they are plain"),
  telemetry: telemetrySchema
    .optional()
    .describe('Metrics and traces of the deployer itself; absent: none, and nothing listens'),
  backup: backupSchema.optional(),
  checkpoints: checkpointsSchema.optional(),
  rotation: rotationSchema.optional(),
  prometheus: prometheusSchema.optional(),
  verification: verificationSchema,
  healthTimeoutFactor: z
    .number()
    .positive()
    .max(100)
    .default(1)
    .describe('Multiplies every health timeout of the catalog'),
  retries: z
    .strictObject({
      unreachableSeconds: seconds()
        .max(43_200)
        .default(3600)
        .describe(
          'An API server, a Vault, a registry that does not answer is waited for so long, then the step fails: an upgrade of a control plane takes less, and nobody should find a lock still held in the morning',
        ),
      sealedSeconds: seconds()
        .max(72_000)
        .default(43_200)
        .describe('A Vault that people have to unseal is waited for so long: they may be asleep'),
    })
    .prefault({})
    .describe('How long a step is tried again before it fails'),
  deletionProgressDeadlineSeconds: seconds()
    .default(60)
    .describe(
      'Seconds without any progress after which something that was deleted, and does not go, is named and given up',
    ),
  simulation: z
    .strictObject({
      factor: z.number().min(0).max(1000).default(0.4).describe('Multiplies every start-up time'),
      jitter: z
        .number()
        .min(0)
        .max(0.5)
        .default(0.05)
        .describe("Plus or minus this share of a start-up time, from the seed and the service's name"),
      seed: z.number().int().default(1),
      startupSeconds: z
        .record(z.string(), z.number().nonnegative().max(86_400))
        .default({})
        .describe("Seconds per service, in place of the catalog's"),
    })
    .optional()
    .describe('Only with an embedded cluster: how the simulated pods behave'),
});

export type EnvironmentFile = z.infer<typeof environmentFileSchema>;
export type EnvironmentInput = z.input<typeof environmentFileSchema>;
/** An environment after `extends` is resolved, with its name (the file's). */
export type Environment = EnvironmentFile & { name: string };
