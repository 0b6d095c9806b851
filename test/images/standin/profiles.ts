/** What the real program behind an image does whatever its variables say: ports, health paths, folders it writes. */
import { basename } from 'node:path';
import { IMAGES } from '../../../src/catalog/images.ts';

export interface Listener {
  /** Variables that may name the port, and the program's own default. */
  env: string[];
  port?: number;
  protocol: 'http' | 'https' | 'grpc';
  /** Paths that answer 200 while the service is healthy, else 503. */
  ready: string[];
  /** Paths that answer 200 whatever happens. */
  live: string[];
}

export interface Profile {
  listeners: Listener[];
  /** Folders, or variables that name some, in which it must be able to write. */
  folders: string[];
  /** Variables without which the program does not start. */
  needs: string[];
  /** Variables that lead to services which may be deployed after this one: call-backs. */
  later: string[];
  /** Its logins work on what migrations have made. */
  migrated: boolean;
  /** Credentials of people that it creates itself. */
  ownLogins: string[];
  kubernetes?: { paths: string[]; keys: Record<string, string[]> };
}

const EMPTY: Profile = { listeners: [], folders: [], needs: [], later: [], migrated: false, ownLogins: [] };

function http(port: number | undefined, env: string[], ready: string[], live: string[] = []): Listener {
  return { env, ...(port === undefined ? {} : { port }), protocol: 'http', ready, live };
}

/** The platform's own back ends and workers. */
const BACKEND: Profile = {
  ...EMPTY,
  listeners: [http(undefined, ['PORT', 'HEALTH_PORT'], ['/health'])],
  migrated: true,
};
/** An unprivileged nginx. */
const WEB: Profile = { ...EMPTY, listeners: [http(8080, [], ['/'])], folders: ['/var/cache/nginx', '/var/run'] };

const OWN: Record<string, Profile> = {
  'admin-app': WEB,
  'customer-portal': WEB,
  'cns-dashboard': WEB,
  'backstage-portal': WEB,
  dashboard: { ...EMPTY, listeners: [http(undefined, ['PORT'], ['/'])], folders: ['/app/.next/cache'] },
  // Calls back to the service that it bills for, and to the app plane.
  'tenant-management-service': { ...BACKEND, later: ['SUBSCRIPTION_SERVICE_URL', 'WEBHOOK_BRIDGE_URL'] },
};

const NOVU_FOLDERS = ['HOME', 'PM2_HOME'];
const novu = (needs: string[]): Profile => ({
  ...EMPTY,
  listeners: [http(undefined, ['PORT'], ['/v1/health-check'])],
  folders: NOVU_FOLDERS,
  needs: ['MONGO_URL', 'REDIS_HOST', ...needs],
});

const THIRD: Record<string, Profile> = {
  [IMAGES.cloudnativePg.repository]: {
    ...EMPTY,
    listeners: [
      { env: [], port: 9443, protocol: 'https', ready: ['/readyz'], live: [] },
      http(8080, [], [], ['/metrics']),
    ],
    folders: ['/controller'],
    needs: ['OPERATOR_NAMESPACE', 'OPERATOR_IMAGE_NAME'],
    kubernetes: { paths: ['/apis/postgresql.cnpg.io/v1/clusters'], keys: {} },
  },
  [IMAGES.redisExporter.repository]: {
    ...EMPTY,
    listeners: [http(9121, [], ['/health', '/metrics'])],
    needs: ['REDIS_PASSWORD_FILE'],
  },
  [IMAGES.postgrest.repository]: {
    ...EMPTY,
    listeners: [
      http(3000, ['PGRST_SERVER_PORT'], ['/']),
      http(undefined, ['PGRST_ADMIN_SERVER_PORT'], ['/ready'], ['/live']),
    ],
    needs: ['PGRST_DB_URI', 'PGRST_DB_ANON_ROLE', 'PGRST_DB_SCHEMAS', 'PGRST_JWT_SECRET'],
    migrated: true,
  },
  [IMAGES.postgresMeta.repository]: {
    ...EMPTY,
    listeners: [http(8080, ['PG_META_PORT'], ['/health'])],
    needs: ['PG_META_DB_HOST', 'CRYPTO_KEY'],
  },
  [IMAGES.supabaseStudio.repository]: {
    ...EMPTY,
    listeners: [http(3000, ['PORT'], ['/api/platform/profile'])],
    folders: ['/app/apps/studio/.next/cache'],
    needs: ['STUDIO_PG_META_URL', 'SUPABASE_URL', 'POSTGRES_PASSWORD', 'PG_META_CRYPTO_KEY', 'AUTH_JWT_SECRET'],
    migrated: true,
  },
  [IMAGES.directus.repository]: {
    ...EMPTY,
    listeners: [http(8055, ['PORT'], ['/server/ping'])],
    folders: ['HOME', 'PM2_HOME', 'TEMP_PATH'],
    needs: [
      'KEY',
      'SECRET',
      'DB_CLIENT',
      'DB_HOST',
      'DB_DATABASE',
      'DB_USER',
      'DB_PASSWORD',
      'ADMIN_EMAIL',
      'ADMIN_PASSWORD',
    ],
    ownLogins: ['ADMIN_EMAIL', 'ADMIN_PASSWORD'],
  },
  [IMAGES.novuApi.repository]: novu([
    'JWT_SECRET',
    'STORE_ENCRYPTION_KEY',
    'NOVU_SECRET_KEY',
    'S3_LOCAL_STACK',
    'S3_BUCKET_NAME',
  ]),
  [IMAGES.novuWorker.repository]: novu(['STORE_ENCRYPTION_KEY', 'NOVU_SECRET_KEY', 'S3_LOCAL_STACK', 'S3_BUCKET_NAME']),
  [IMAGES.novuWs.repository]: novu(['JWT_SECRET']),
  // It writes the addresses into its pages.
  [IMAGES.novuDashboard.repository]: {
    ...EMPTY,
    listeners: [http(4000, [], ['/'])],
    folders: ['/standin/pages'],
    needs: ['VITE_API_HOSTNAME', 'VITE_WEBSOCKET_HOSTNAME'],
  },
};

/** Argo CD: one image, the program is the first argument. */
const ARGOCD: Record<string, Profile> = {
  'argocd-server': {
    ...EMPTY,
    listeners: [http(8080, [], ['/healthz'], ['/'])],
    folders: ['/home/argocd', '/tmp'],
    needs: ['REDIS_SERVER', 'ARGOCD_SERVER_REPO_SERVER'],
    kubernetes: {
      paths: [
        '/api/v1/namespaces/{namespace}/configmaps/argocd-cm',
        '/api/v1/namespaces/{namespace}/secrets/argocd-secret',
        '/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications',
      ],
      keys: { 'argocd-secret': ['admin.password', 'admin.passwordMtime', 'server.secretkey'] },
    },
  },
  'argocd-repo-server': {
    ...EMPTY,
    listeners: [{ env: [], port: 8081, protocol: 'grpc', ready: [], live: [] }, http(8084, [], ['/healthz'])],
    folders: ['HELM_CACHE_HOME', 'HELM_CONFIG_HOME', 'HELM_DATA_HOME', '/app/config/gpg/keys', '/home/argocd', '/tmp'],
    needs: ['REDIS_SERVER'],
  },
  'argocd-application-controller': {
    ...EMPTY,
    listeners: [http(8082, [], ['/healthz'])],
    folders: ['KUBECACHEDIR', '/home/argocd'],
    needs: ['REDIS_SERVER', 'ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER'],
    kubernetes: {
      paths: [
        '/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications',
        '/apis/argoproj.io/v1alpha1/namespaces/{namespace}/appprojects',
      ],
      keys: {},
    },
  },
  'argocd-applicationset-controller': {
    ...EMPTY,
    listeners: [http(8086, [], ['/healthz', '/readyz']), http(8085, [], [], ['/metrics'])],
    folders: ['/app/config/gpg/keys', '/tmp'],
    needs: ['NAMESPACE', 'ARGOCD_APPLICATIONSET_CONTROLLER_REPO_SERVER'],
    kubernetes: { paths: ['/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applicationsets'], keys: {} },
  },
};

/** Image repositories that a stand-in plays besides the platform's own ones. */
export const THIRD_PARTY_REPOSITORIES = [IMAGES.argocd.repository, ...Object.keys(THIRD)];
/** Programs that charts start by an absolute path. */
export const PROGRAM_PATHS = ['/manager', ...Object.keys(ARGOCD).map((name) => `/usr/local/bin/${name}`)];

/**
 * @param image repository, without a tag; what is none of the third parties' is taken for one of the platform's own
 * @param args what the chart starts
 */
export function profileOf(image: string, args: readonly string[]): Profile {
  if (image === IMAGES.argocd.repository) return ARGOCD[basename(args[0] ?? '')] ?? EMPTY;
  return THIRD[image] ?? OWN[basename(image)] ?? BACKEND;
}
