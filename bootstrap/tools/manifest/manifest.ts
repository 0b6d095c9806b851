/*
 * The one place that pins the tools: versions, sources, checksums, build flags. Go's own sums are in
 * gomod/<family>/go.sum.
 *
 * Pinned checksums were compared with those that other projects pin for the same artefacts: kops and kubespray
 * (Kubernetes,
 * etcd), hermit-packages, cert-manager and Homebrew (Vault), hermit-packages and nixpkgs (Temporal), nur-packages and
 * the AUR (KWOK).
 */
import type { GoBuild, Manifest, NoRelease, Release, ToolSpec } from './types.ts';
import type { Platform, ToolName } from '../types.ts';

type Sums = Readonly<Partial<Record<Platform, string>>>;

const KUBERNETES = '1.35.4';
const KWOK = '0.8.0';

function none(unavailable: string): NoRelease {
  return { unavailable };
}

function perPlatform(
  release: (platform: Platform, os: string, arch: string) => Release | NoRelease,
): ToolSpec['releases'] {
  return {
    'linux-amd64': release('linux-amd64', 'linux', 'amd64'),
    'linux-arm64': release('linux-arm64', 'linux', 'arm64'),
    'darwin-amd64': release('darwin-amd64', 'darwin', 'amd64'),
    'darwin-arm64': release('darwin-arm64', 'darwin', 'arm64'),
  };
}

const temporalSums: Sums = {
  'linux-amd64': 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  'linux-arm64': 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  'darwin-amd64': 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  'darwin-arm64': 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
};

const temporal: ToolSpec = {
  name: 'temporal',
  version: '1.5.1',
  accepts: { atLeast: '1.5.1', below: '1.6.0' },
  versionQuery: { args: ['--version'], pattern: /temporal version (\d+\.\d+\.\d+)/ },
  releases: perPlatform((platform, os, arch) => ({
    url: `https://github.com/temporalio/cli/releases/download/v1.5.1/temporal_cli_1.5.1_${os}_${arch}.tar.gz`,
    archive: { kind: 'tar.gz', member: 'temporal' },
    checksum: { kind: 'pinned', sha256: temporalSums[platform] ?? '' },
  })),
  goBuild: {
    family: 'temporal',
    package: 'github.com/temporalio/cli/cmd/temporal',
    tags: [],
    variables: { 'github.com/temporalio/cli/temporalcli.Version': '1.5.1' },
  },
};

const helm: ToolSpec = {
  name: 'helm',
  version: '4.3.1',
  accepts: { atLeast: '4.3.1', below: '4.4.0' },
  versionQuery: { args: ['version', '--template', '{{.Version}}'], pattern: /v(\d+\.\d+\.\d+)/ },
  // No second source for 4.3.1's checksums was found, so they come from the publisher at download time.
  releases: perPlatform((_platform, os, arch) => ({
    url: `https://get.helm.sh/helm-v4.3.1-${os}-${arch}.tar.gz`,
    archive: { kind: 'tar.gz', member: `${os}-${arch}/helm` },
    checksum: { kind: 'publisher-file', url: `https://get.helm.sh/helm-v4.3.1-${os}-${arch}.tar.gz.sha256sum` },
  })),
  goBuild: {
    family: 'helm-kwok',
    package: 'helm.sh/helm/v4/cmd/helm',
    tags: [],
    variables: { 'helm.sh/helm/v4/internal/version.version': 'v4.3.1' },
  },
};

function kwokTool(name: 'kwok' | 'kwokctl', sums: Sums): ToolSpec {
  return {
    name,
    version: KWOK,
    accepts: { atLeast: KWOK, below: '0.9.0' },
    versionQuery: { args: ['--version'], pattern: /version v(\d+\.\d+\.\d+)/ },
    releases: perPlatform((platform, os, arch) => {
      const sha256 = sums[platform];
      if (sha256 === undefined) return none('the publisher has no list of checksums and none is known from elsewhere');
      const url = `https://github.com/kubernetes-sigs/kwok/releases/download/v${KWOK}/${name}-${os}-${arch}`;
      return { url, archive: { kind: 'none' }, checksum: { kind: 'pinned', sha256 } };
    }),
    goBuild: {
      family: 'helm-kwok',
      package: `sigs.k8s.io/kwok/cmd/${name}`,
      tags: [],
      variables: { 'sigs.k8s.io/kwok/pkg/consts.Version': `v${KWOK}` },
    },
  };
}

function kubernetesBuild(name: string): GoBuild {
  const variables: Record<string, string> = {};
  for (const module of ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']) {
    const [major = '', minor = ''] = KUBERNETES.split('.');
    Object.assign(variables, {
      [`${module}.gitVersion`]: `v${KUBERNETES}`,
      [`${module}.gitMajor`]: major,
      [`${module}.gitMinor`]: minor,
      [`${module}.gitTreeState`]: 'archive',
    });
  }
  return { family: 'kubernetes', package: `k8s.io/kubernetes/cmd/${name}`, tags: [], variables };
}

type KubernetesTool =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubectl'
  | 'kubelet'
  | 'kube-proxy';

function kubernetesTool(name: KubernetesTool, sums: Sums): ToolSpec {
  return {
    name,
    version: KUBERNETES,
    accepts: { atLeast: KUBERNETES, below: '1.36.0' },
    versionQuery:
      name === 'kubectl'
        ? { args: ['version', '--client'], pattern: /Client Version: v(\d+\.\d+\.\d+)/ }
        : { args: ['--version'], pattern: /Kubernetes v(\d+\.\d+\.\d+)/ },
    releases: perPlatform((platform, os, arch) => {
      const sha256 = sums[platform];
      if (sha256 === undefined)
        return none('Kubernetes publishes its server programs for Linux only; on macOS they are built from source');
      const url = `https://dl.k8s.io/release/v${KUBERNETES}/bin/${os}/${arch}/${name}`;
      return { url, archive: { kind: 'none' }, checksum: { kind: 'pinned', sha256 } };
    }),
    goBuild: kubernetesBuild(name),
  };
}

const etcdSums: Sums = {
  'linux-amd64': 'cf9cfe91a4856cb90eed9c99e6aee4b708db2c7888b88a6f116281f04b0ea693',
  'linux-arm64': '438f56a700d17ce761510a3e63e6fa5c1d587b2dd4d7a22c179c09a649366760',
};

const etcd: ToolSpec = {
  name: 'etcd',
  version: '3.6.8',
  accepts: { atLeast: '3.6.8', below: '3.7.0' },
  versionQuery: { args: ['--version'], pattern: /etcd Version: (\d+\.\d+\.\d+)/ },
  releases: perPlatform((platform, os, arch) => {
    const base = 'https://github.com/etcd-io/etcd/releases/download/v3.6.8';
    const sha256 = etcdSums[platform];
    return {
      url: `${base}/etcd-v3.6.8-${os}-${arch}.${os === 'darwin' ? 'zip' : 'tar.gz'}`,
      archive: { kind: os === 'darwin' ? 'zip' : 'tar.gz', member: `etcd-v3.6.8-${os}-${arch}/etcd` },
      checksum:
        sha256 === undefined ? { kind: 'publisher-file', url: `${base}/SHA256SUMS` } : { kind: 'pinned', sha256 },
    };
  }),
  goBuild: { family: 'etcd', package: 'go.etcd.io/etcd/server/v3', tags: [], variables: {} },
};

const vaultSums: Sums = {
  'linux-amd64': '5a91c93a9949ed8863ee4b91cfc30640bc49ab04225f0b1c5a0650c4d6e10171',
  'linux-arm64': '0083b02005ad89f6a01773866c6a892194ba27867b5f26ee374a0dfbbfb84c07',
  'darwin-amd64': '2e00e327be8141751f7bcc840aad93c8a5428908a4131f17d02d22eab444bcf2',
  'darwin-arm64': 'fd1b26fcbc78c04c2d76d35a13a9564d450074f2547871b2046ddb95bbd7ea9c',
};

const vault: ToolSpec = {
  name: 'vault',
  version: '1.21.0',
  accepts: { atLeast: '1.21.0', below: '1.22.0' },
  versionQuery: { args: ['version'], pattern: /Vault v(\d+\.\d+\.\d+)/ },
  releases: perPlatform((platform, os, arch) => ({
    url: `https://releases.hashicorp.com/vault/1.21.0/vault_1.21.0_${os}_${arch}.zip`,
    archive: { kind: 'zip', member: 'vault' },
    checksum: { kind: 'pinned', sha256: vaultSums[platform] ?? '' },
  })),
  // The full build asks for modules that no proxy has; `minimal` is the publisher's own smaller one, without most
  // plugins.
  goBuild: { family: 'vault', package: 'github.com/hashicorp/vault', tags: ['minimal'], variables: {} },
};

const vaultKubernetesAuth: ToolSpec = {
  name: 'vault-plugin-auth-kubernetes',
  version: '0.23.1',
  accepts: { atLeast: '0.23.1', below: '0.24.0' },
  releases: perPlatform(() => none('not published on its own: a release of Vault has it built in')),
  goBuild: {
    family: 'vault',
    package: 'github.com/hashicorp/vault-plugin-auth-kubernetes/cmd/vault-plugin-auth-kubernetes',
    tags: ['minimal'],
    variables: {},
  },
};

/**
 * A node runs on Linux only. No second source for the sums of kube-proxy was found, so they come from the publisher at
 * download time.
 */
function nodeTool(name: 'kubelet' | 'kube-proxy', sums: Sums): ToolSpec {
  return {
    ...kubernetesTool(name, sums),
    releases: perPlatform((platform, os, arch) => {
      if (os !== 'linux') return none('a Kubernetes node runs on Linux only');
      const url = `https://dl.k8s.io/release/v${KUBERNETES}/bin/${os}/${arch}/${name}`;
      const sha256 = sums[platform];
      return {
        url,
        archive: { kind: 'none' },
        checksum: sha256 === undefined ? { kind: 'publisher-file', url: `${url}.sha256` } : { kind: 'pinned', sha256 },
      };
    }),
    optional: true,
  };
}

const COREDNS = '1.15.0';

const coredns: ToolSpec = {
  name: 'coredns',
  version: COREDNS,
  accepts: { atLeast: COREDNS, below: '1.16.0' },
  versionQuery: { args: ['-version'], pattern: /CoreDNS-(\d+\.\d+\.\d+)/ },
  releases: perPlatform((_platform, os, arch) => {
    const url = `https://github.com/coredns/coredns/releases/download/v${COREDNS}/coredns_${COREDNS}_${os}_${arch}.tgz`;
    return {
      url,
      archive: { kind: 'tar.gz', member: 'coredns' },
      checksum: { kind: 'publisher-file', url: `${url}.sha256` },
    };
  }),
  // The publisher's main program has every plugin, with the libraries of three clouds; ours has those that a node
  // needs.
  goBuild: { family: 'coredns', package: 'ananta.invalid/tools/coredns', tags: [], variables: {} },
  optional: true,
};

/** Every tool, in the order in which an embedded environment needs them. */
export const MANIFEST = {
  temporal,
  helm,
  kwokctl: kwokTool('kwokctl', {
    'linux-amd64': 'd5743166c657283d6e827c7c4c20cacfd9009fd94830f06718ca7b2c7099461f',
    'linux-arm64': '5a642b27d3e975f36040d215640cd90fb4a63cb6fca0ad5865a61bcd9c81051b',
    'darwin-arm64': '9323a59adb9c27854bd2a76652ad00258bcbb68acc40aba0dc21e362b67b7d6a',
  }),
  kwok: kwokTool('kwok', {
    'linux-amd64': 'f5a4385a2ae1b9dd7f8acae18e002a75c0ebba124ae9d7259aa8dadb50711f46',
    'linux-arm64': '628f7d277860f524a2a775c217adcc58828e7b59ab0933680315784f1b8b0e37',
    'darwin-arm64': '69a064ec98d37844d9d742b5b28ff57825659a983ccc3e208daa6948b94d64ba',
  }),
  'kube-apiserver': kubernetesTool('kube-apiserver', {
    'linux-amd64': 'd5fff07e41f6826963254685667cfb3ec354dd676aa697e75c1e973e86d28fc7',
    'linux-arm64': 'ef055372df04d541c84ab8cb6dabfa67c3f5f35e6cbe7642673f94e1ca560cf3',
  }),
  'kube-controller-manager': kubernetesTool('kube-controller-manager', {
    'linux-amd64': 'be0dc23daaf568c51017ea867707bd38ab36a78a83982bc12af9184e8e370c2c',
    'linux-arm64': '0ba5bc092a1fe68987f2b4ae072146962ed31b73819c1552153894eff67968c0',
  }),
  'kube-scheduler': kubernetesTool('kube-scheduler', {
    'linux-amd64': 'c796c9e54fc56745b9f50d2aa464d97d10007adc7cf0ba36a9cbf450a6f11770',
    'linux-arm64': 'ad75d09987d28f69d12959b880074ae3d2fedcf7491f5d41d6f23456d822333c',
  }),
  etcd,
  kubectl: kubernetesTool('kubectl', {
    'linux-amd64': 'b529430df69a688fd61b64ad2299edb5fd71cb58be2a4779dba624c7d3510efd',
    'linux-arm64': '6a5a4cc4e396d7626a7a693a3044b51c75520f81db30fe6816c2554e53be336f',
    'darwin-amd64': 'dddb01bddb96f78e48e33105ccfa2feedff585a8b2e3b812f5d0f64c7403710a',
    'darwin-arm64': 'ec644a2473b64b486987f695dfb1867963ce6d42d267b86e944585a546f92b5d',
  }),
  vault,
  'vault-plugin-auth-kubernetes': vaultKubernetesAuth,
  kubelet: nodeTool('kubelet', {
    'linux-amd64': '983a6ba5a49823dcdd745c674e5e2416377dd27d6ad1b42d2befa0fb961a19f6',
    'linux-arm64': 'd710eef03bb4ad164bb77af9be5b11b44f874e2fc08153c7d383420d685f73e8',
  }),
  'kube-proxy': nodeTool('kube-proxy', {}),
  coredns,
} as const satisfies Manifest;

/** All names, in order of need. */
export const TOOL_NAMES = Object.keys(MANIFEST) as readonly ToolName[];
