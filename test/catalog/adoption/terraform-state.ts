/**
 * A state as Terraform writes it with the providers helm 2 (metadata is a list) and 3 (an object), kubernetes, vault:
 * part of the platform, brought up with the publishers' charts. Passwords in it begin with `S3CRET`.
 */

const PROVIDERS = {
  helm: 'provider["registry.terraform.io/hashicorp/helm"]',
  kubernetes: 'provider["registry.terraform.io/hashicorp/kubernetes"]',
  vault: 'provider["registry.terraform.io/hashicorp/vault"]',
  aws: 'provider["registry.terraform.io/hashicorp/aws"]',
};

interface Resource {
  mode: string;
  type: string;
  name: string;
  provider: string;
  module?: string;
  instances: Record<string, unknown>[];
}

function resource(type: string, name: string, attributes: object, more: Partial<Resource> = {}): Resource {
  const provider = PROVIDERS[(type.split('_')[0] ?? 'helm') as keyof typeof PROVIDERS] ?? PROVIDERS.helm;
  return {
    mode: 'managed',
    type,
    name,
    provider,
    instances: [{ schema_version: 1, attributes, sensitive_attributes: [], private: 'bnVsbA==' }],
    ...more,
  };
}

export interface ReleaseSample {
  name: string;
  namespace: string;
  chart: string;
  version: string;
  /** Merged, as the provider writes them; what was set as sensitive is cloaked. */
  values: object;
  setSensitive?: { name: string; value: string }[];
  /** Of the provider. */
  major?: 2 | 3;
}

export function helmRelease(sample: ReleaseSample, more: Partial<Resource> = {}): Resource {
  const { name, namespace, chart, version, values, setSensitive = [], major = 2 } = sample;
  const metadata = {
    app_version: '16.2.0',
    chart,
    first_deployed: 1_718_000_000,
    last_deployed: 1_718_000_000,
    name,
    namespace,
    notes: '',
    revision: 1,
    values: JSON.stringify(values),
    version,
  };
  return resource(
    'helm_release',
    name.replaceAll('-', '_'),
    {
      id: name,
      name,
      namespace,
      chart,
      repository: 'https://charts.bitnami.com/bitnami',
      repository_password: 'S3CRET-repository',
      version,
      status: 'deployed',
      manifest: null,
      max_history: 0,
      metadata: major === 2 ? [metadata] : metadata,
      set: [],
      set_list: [],
      set_sensitive: setSensitive.map((one) => ({ ...one, type: '' })),
      values: [JSON.stringify(values)],
    },
    more,
  );
}

export const PLATFORM_STATE = {
  version: 4,
  terraform_version: '1.9.8',
  serial: 12,
  lineage: '5f1f29a2-7a52-6bb5-1f26-0b5b7c3f0f4e',
  outputs: {
    vpc_id: { value: 'vpc-0a1b2c', type: 'string' },
    bucket: {
      value: { name: 'uploads', region: 'eu-central-1' },
      type: ['object', { name: 'string', region: 'string' }],
    },
    database_url: { value: 'postgres://app:S3CRET-url@db/app', type: 'string', sensitive: true },
  },
  resources: [
    helmRelease(
      {
        name: 'control-plane-postgres',
        namespace: 'database-system',
        chart: 'postgresql',
        version: '14.2.1',
        values: {
          auth: { database: 'arc_saas', postgresPassword: '(sensitive value)' },
          primary: { persistence: { size: '20Gi' }, extraEnvVars: [{ name: 'DB_PASSWORD', value: 'S3CRET-variable' }] },
          image: { tag: '16.1.0' },
        },
        setSensitive: [{ name: 'auth.postgresPassword', value: 'S3CRET-postgres' }],
      },
      { module: 'module.database' },
    ),
    helmRelease({
      name: 'control-plane-redis',
      namespace: 'cache-system',
      chart: 'redis',
      version: '20.13.4',
      major: 3,
      values: {
        fullnameOverride: 'control-plane-redis',
        architecture: 'standalone',
        auth: { existingSecret: 'redis-credentials', existingSecretPasswordKey: 'password' },
      },
    }),
    helmRelease({
      name: 'temporal-postgres',
      namespace: 'database-system',
      chart: 'postgresql',
      version: '14.3.3',
      values: {},
    }),
    helmRelease({
      name: 'kube-prometheus',
      namespace: 'observability',
      chart: 'kube-prometheus-stack',
      version: '58.1.0',
      values: { grafana: { adminPassword: 'S3CRET-grafana' } },
    }),
    resource('kubernetes_secret_v1', 'keycloak', {
      metadata: [{ name: 'keycloak-database', namespace: 'auth-system', labels: null }],
      type: 'Opaque',
      data: { password: 'S3CRET-keycloak', username: 'keycloak' },
    }),
    resource('kubernetes_namespace', 'auth', { metadata: [{ name: 'auth-system' }] }),
    resource('kubernetes_deployment', 'tenant_management', {
      metadata: [{ name: 'tenant-management-service', namespace: 'control-plane' }],
    }),
    resource('vault_mount', 'kv', { path: 'secret', type: 'kv-v2' }),
    resource('vault_auth_backend', 'kubernetes', { path: 'kubernetes/', type: 'kubernetes' }),
    resource('vault_policy', 'reader', { name: 'platform-reader', policy: 'path "secret/*" {}' }),
    resource('vault_kubernetes_auth_backend_role', 'app', { backend: 'kubernetes', role_name: 'cns-service' }),
    resource('vault_kv_secret_v2', 'novu', {
      mount: 'secret',
      name: 'cache/novu-redis',
      data_json: '{"redis-password":"S3CRET-novu"}',
    }),
    resource('aws_s3_bucket', 'uploads', { bucket: 'uploads' }),
    resource('aws_caller_identity', 'me', {}, { mode: 'data' }),
  ],
  check_results: null,
};
