/** The part of an environment file that says how Vault is run, sealed and opened. */
import { z } from 'zod';
import { filePath, hostName, webAddress } from './formats/addresses.ts';
import { annotations, labelName, objectName } from './formats/kubernetes-names.ts';
import { oneLine } from './formats/texts.ts';

const text = oneLine();

/** With one server data are on one volume; an odd number of them agrees by majority. */
const replicas = z
  .number()
  .int()
  .min(1)
  .max(7)
  .refine((count) => count % 2 === 1, 'has to be odd (1, 3, 5): servers on raft agree by majority');

const publicKeys = z
  .array(filePath)
  .min(1)
  .describe(
    "Files with operators' OpenPGP public keys, one for each share: Vault itself encrypts each share to its owner, and only these people can open it (ananta vault unseal)",
  );
const rootTokenKey = filePath.describe(
  'File with the OpenPGP public key to which Vault encrypts the first root token; its owner hands the token in once (ananta vault root)',
);

const fileStoreSchema = z.strictObject({
  store: z.literal('file'),
  path: filePath.optional().describe('Default: vault-keys.json in the state folder'),
  publicKeys: publicKeys.optional(),
  rootTokenKey: rootTokenKey.optional(),
});
const kubernetesStoreSchema = z.strictObject({
  store: z.literal('kubernetes'),
  namespace: labelName('a namespace').default('ananta-system'),
  name: objectName('a Secret').default('vault-keys'),
  publicKeys: publicKeys.optional(),
  rootTokenKey: rootTokenKey.optional(),
});

const credentialsSchema = z
  .strictObject({
    secret: objectName('a Secret').describe("Secret in Vault's namespace that somebody else has made"),
    keys: z
      .array(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'has to be named like an environment variable'))
      .min(1)
      .describe("Keys of that Secret; each becomes the environment variable of its name in Vault's pods"),
  })
  .describe("What the key service asks for, by name; leave it out where the pods' own identity is enough");
const common = {
  credentials: credentialsSchema.optional(),
  serviceAccountAnnotations: annotations
    .default({})
    .describe("On Vault's service account, for clouds that give pods an identity by it"),
};

/** The parameters are those of Vault's seal stanza. None is secret: what is comes from `credentials`. */
export const sealSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('awskms'),
    parameters: z.strictObject({ kms_key_id: text, region: text, endpoint: webAddress('https://HOST').optional() }),
    ...common,
  }),
  z.strictObject({
    type: z.literal('gcpckms'),
    parameters: z.strictObject({ project: text, region: text, key_ring: text, crypto_key: text }),
    ...common,
  }),
  z.strictObject({
    type: z.literal('azurekeyvault'),
    parameters: z.strictObject({
      tenant_id: text,
      vault_name: text,
      key_name: text,
      client_id: text.optional(),
      environment: text.optional(),
    }),
    ...common,
  }),
  z.strictObject({
    type: z.literal('transit'),
    parameters: z.strictObject({
      address: webAddress('https://HOST:PORT'),
      key_name: text,
      mount_path: text,
      namespace: text.optional(),
      disable_renewal: z.enum(['true', 'false']).optional(),
      tls_ca_cert: text.optional(),
      tls_server_name: hostName.optional(),
    }),
    ...common,
  }),
]);
export type Seal = z.infer<typeof sealSchema>;

const externalSchema = z
  .strictObject({
    address: webAddress('https://HOST:PORT').describe(
      'https://HOST:PORT, as the worker and the pods of the platform reach it',
    ),
    ca: filePath.optional().describe('File with the certificates that its own is checked against'),
  })
  .describe(
    "A Vault that others run, in place of the platform's own: it is neither initialized nor unsealed here. vault prepare prints what its operators set up once",
  );

const kubernetesHost = z.string().superRefine((text, context) => {
  if (text !== 'auto' && !webAddress('').safeParse(text).success)
    context.addIssue({ code: 'custom', message: 'has to be auto, or https://HOST:PORT' });
});

const tlsSchema = z
  .strictObject({
    secret: objectName('a Secret').describe(
      "Secret in Vault's namespace with tls.crt, tls.key and ca.crt, as cert-manager keeps it; the certificate names vault.<namespace>.svc, the pods' own names below vault-headless (upstream chart: vault-internal) and 127.0.0.1",
    ),
  })
  .describe('Vault answers over TLS alone; the deployer and services check it against ca.crt of that Secret');

export const vaultSchema = z.strictObject({
  tls: tlsSchema.optional(),
  external: externalSchema.optional(),
  replicas: replicas
    .default(1)
    .describe('Servers on raft storage; from three on one may be lost. Can grow and shrink over existing raft data'),
  shares: z
    .number()
    .int()
    .min(1)
    .max(10)
    .default(1)
    .describe('Unseal keys made when Vault is initialized; with seal: recovery keys'),
  threshold: z.number().int().min(1).max(10).default(1).describe('How many of them open it'),
  keys: z
    .discriminatedUnion('store', [fileStoreSchema, kubernetesStoreSchema])
    .default({ store: 'file' })
    .describe(
      'Where the shares are kept: a file that only its owner can read, or a Secret that the worker in the cluster can reach',
    ),
  seal: sealSchema.optional().describe('A key service opens Vault by itself after each restart (auto-unseal)'),
  rootToken: z
    .enum(['revoke', 'keep'])
    .default('revoke')
    .describe('What happens to the root token once the deployer role works'),
  kubernetesHost: kubernetesHost
    .default('auto')
    .describe("API server as Vault sees it, for token review; auto: the embedded cluster's, else the in-cluster one"),
});
export type VaultSettings = z.infer<typeof vaultSchema>;
