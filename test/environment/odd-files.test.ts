/**
 * Files that people, editors and programs leave in environments/: each is refused with its field, in words, at once.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { ConfigurationError, listEnvironments, loadEnvironment } from '../../src/environment/load.ts';
import { mergeTrees, type Tree } from '../../src/environment/files/merge.ts';

const SOUND = {
  description: 'for tests',
  platform: 'mini',
  cluster: { context: 'somewhere' },
  engine: { address: 'temporal.example.org:7233', namespace: 'deployments' },
  charts: 'bundled',
  domain: 'example.org',
  images: { prefix: 'registry.example.org/platform' },
  gitops: { repoURL: 'https://example.org/repo.git' },
};
const SOUND_TEXT = stringify(SOUND);

/**
 * Limit in processor time, since a busy machine takes any time by the clock. A file that makes the check hang is ended
 * with its test.
 */
const AT_ONCE_MS = 1000;

let folder = '';
const { repoRoot } = readConfig({});
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-odd-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

const newFolder = async (): Promise<string> => mkdtemp(join(folder, 'case-'));

async function problemsOf(environmentsDir: string, name = 'x'): Promise<string> {
  const start = process.cpuUsage();
  try {
    await loadEnvironment(name, { environmentsDir, repoRoot });
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, error instanceof Error ? error.stack : String(error));
    const { user, system } = process.cpuUsage(start);
    const took = (user + system) / 1000;
    assert.ok(took < AT_ONCE_MS, `refused after ${took} ms`);
    assert.ok(error.message.length < 20_000, `${error.message.length} characters`);
    return error.message;
  }
  return 'accepted';
}

const repeated = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');
const LETTERS = 'b c d e f g h i j'.split(' ');
const LAUGHS = `a: &a [${Array(9).fill('lol').join(', ')}]\n${LETTERS.map(
  (letter, index) =>
    `${letter}: &${letter} [${Array(9)
      .fill(`*${index === 0 ? 'a' : LETTERS[index - 1]}`)
      .join(', ')}]`,
).join('\n')}\n`;

const TEXTS: [what: string, text: string | Buffer, says: string][] = [
  [
    'tag of another language',
    `${SOUND_TEXT}notify: { command: [!!js/function 'function () {}'] }`,
    'x.yaml: line 14 uses the tag !!js/function: only plain texts',
  ],
  [
    'tag that includes files',
    `${SOUND_TEXT}resources: !include resources.yaml`,
    'x.yaml: line 14 uses the tag !include: only plain texts',
  ],
  ['binary tag', `${SOUND_TEXT}$schema: !!binary aGVsbG8=`, 'x.yaml: $schema: line 14 uses the tag !!binary'],
  ['nine levels of aliases of nine', `${SOUND_TEXT}${LAUGHS}`, 'x.yaml: comes to more than 20000 values'],
  [
    'laughs by merge keys',
    `a: &a {${Array.from({ length: 2000 }, (_, at) => `k${at}: 1`).join(', ')}}\n${repeated(1000, (at) => `m${at}: {<<: *a}`)}`,
    'x.yaml: comes to more than 20000 values',
  ],
  [
    'aliases nested in aliases',
    `a0: &a0 {}\n${repeated(100, (at) => `a${at + 1}: &a${at + 1} {b: *a${at}}`)}`,
    'x.yaml: is nested more deeply than any environment',
  ],
  [
    'alias of itself',
    `${SOUND_TEXT}resources: &r { kong: *r }`,
    'x.yaml: resources.kong: the alias *r (line 14) stands for a group that contains it',
  ],
  [
    'alias of nothing',
    `${SOUND_TEXT}resources: *none`,
    'x.yaml: resources: the alias *none (line 14) stands for nothing',
  ],
  ['merge of a text', `${SOUND_TEXT}resources: { <<: text }`, 'x.yaml: is not valid YAML'],
  ['thousands of brackets', '['.repeat(60_000), 'x.yaml: is nested more deeply than any environment'],
  ['thousands of dashes', '- '.repeat(30_000), 'x.yaml: is nested more deeply than any environment'],
  [
    'stairs of keys',
    repeated(300, (at) => `${' '.repeat(at)}a:`),
    'x.yaml: is nested more deeply than any environment',
  ],
  [
    '400,000 unknown keys',
    repeated(400_000, (at) => `key${at}: ${at}`),
    'x.yaml: is larger than 64 KiB: this is no environment file',
  ],
  ['as many unknown keys as fit', SOUND_TEXT + repeated(6000, (at) => `k${at}:`), 'more problems of this kind'],
  ['ten megabytes', `${SOUND_TEXT}# ${'x'.repeat(10 * 1024 * 1024)}`, 'x.yaml: is larger than 64 KiB'],
  ['nothing at all', '', 'x.yaml: description: is missing: a text is needed'],
  [
    'comments alone',
    '# later\n',
    'x.yaml: cluster: is missing: give either embedded, or kind, or context and kubeconfig',
  ],
  ['a list', '- a\n- b\n', 'x.yaml: has to be a group of keys'],
  ['a text', 'production\n', 'x.yaml: has to be a group of keys'],
  ['two documents', `${SOUND_TEXT}---\n${SOUND_TEXT}`, 'x.yaml: holds several documents (---)'],
  [
    'tabs',
    `${SOUND_TEXT}storage:\n\tclass: fast\n`,
    'x.yaml: is not valid YAML: line 15: Tabs are not allowed as indentation',
  ],
  ['a bracket left open', `${SOUND_TEXT}storage: { class: fast\n`, 'x.yaml: is not valid YAML: line 1'],
  ['a quote left open', `${SOUND_TEXT}onFailure: "stop\n`, 'x.yaml: is not valid YAML: line 1'],
  [
    'a merge conflict',
    `${SOUND_TEXT}<<<<<<< HEAD\nonFailure: stop\n=======\nonFailure: continue\n>>>>>>> other\n`,
    'x.yaml: is not valid YAML: line 1',
  ],
  ['a key twice', `${SOUND_TEXT}domain: other.example.org\n`, 'x.yaml: domain: is written twice: line 9 and line 14'],
  ['a nested key twice', `${SOUND_TEXT}storage: { class: a, class: b }\n`, 'x.yaml: storage.class: is written twice'],
  ['a list as a key', `${SOUND_TEXT}? [a, b]\n: 1\n`, 'x.yaml: a key has to be a text'],
  ['the prototype as a key', `${SOUND_TEXT}__proto__: { protected: true }\n`, 'x.yaml: __proto__: unknown key'],
  ['the constructor as a key', `${SOUND_TEXT}constructor: { prototype: {} }\n`, 'x.yaml: constructor: unknown key'],
  [
    'the prototype as a service',
    `${SOUND_TEXT}replicas: { services: { __proto__: 2 } }\n`,
    'replicas.services.__proto__: unknown key',
  ],
  ['a key of 900 characters', `${SOUND_TEXT}"${'k'.repeat(900)}": 1\n`, `x.yaml: ${'k'.repeat(80)}…: unknown key`],
  ['control characters in a key', `${SOUND_TEXT}"a\\u001b[31mb": 1\n`, 'x.yaml: a?[31mb: unknown key'],
  ['latin 1', Buffer.from(`${SOUND_TEXT}# M\xfcnchen\n`, 'latin1'), 'x.yaml: is not UTF-8 text'],
  ['UTF-16', Buffer.from(`\ufeff${SOUND_TEXT}`, 'utf16le'), 'x.yaml: is not UTF-8 text'],
  ['NUL bytes', `${SOUND_TEXT}onFailure: "a\0b"\n`, 'x.yaml: holds a NUL byte'],
  ['an archive', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]), 'x.yaml: is not UTF-8 text'],
  [
    'older words for true',
    `${SOUND_TEXT}protected: yes\n`,
    'x.yaml: protected: has to be true or false, not "yes": write true',
  ],
  [
    'a number for a text',
    `${SOUND_TEXT}ingress: { annotations: { a: 50 } }\n`,
    "x.yaml: ingress.annotations.a: has to be a text, not 50: write '50'",
  ],
  [
    'a tag that YAML takes for a number',
    SOUND_TEXT.replace('platform\n', 'platform\n  tags: { kong: 1.10 }\n').replace('kong', 'auth'),
    "x.yaml: images.tags.auth: has to be a text, not 1.1: write '1.1'",
  ],
  ['not a number', `${SOUND_TEXT}helm: { timeoutSeconds: .nan }\n`, 'x.yaml: helm.timeoutSeconds'],
  ['more than any number', `${SOUND_TEXT}helm: { timeoutSeconds: .inf }\n`, 'x.yaml: helm.timeoutSeconds'],
  [
    'a parent out of the folder',
    'extends: ../../etc/passwd\n',
    'x.yaml: extends: has to be the name of a file in the same folder',
  ],
  ['no parent', `extends: ''\n`, 'x.yaml: extends: has to be the name of a file in the same folder'],
  ['itself as its parent', 'extends: x\n', 'x.yaml: extends: the files extend each other in a circle: x → x'],
  ['a parent that is missing', 'extends: _bse\n', 'x.yaml: extends: there is no file _bse.yaml'],
];

/** What is put on top of a sound environment, or in place of a part of it. */
const FIELDS: [what: string, part: Tree, says: string][] = [
  ['two kinds of cluster', { cluster: { embedded: {}, context: 'a' } }, 'cluster: says embedded and context at once'],
  [
    'three kinds of cluster',
    { cluster: { embedded: {}, kind: {}, context: 'a' } },
    'cluster: says embedded and kind and context at once',
  ],
  ['two kinds of engine', { engine: { embedded: true } }, 'engine: says embedded and address at once'],
  [
    'two certificates',
    { ingress: { tls: { secretName: 'a', clusterIssuer: 'b' } } },
    'ingress.tls: says secretName and clusterIssuer at once',
  ],
  [
    'an engine that is not embedded',
    { engine: { address: undefined, namespace: undefined, embedded: false } },
    'engine.embedded: cannot be false: use true',
  ],
  [
    'scheme in a prefix',
    { images: { prefix: 'https://ghcr.io/acme/' } },
    'images.prefix: has no scheme: write ghcr.io/acme',
  ],
  [
    'slash behind a prefix',
    { images: { prefix: 'ghcr.io/acme/' } },
    'images.prefix: ends in a slash: write ghcr.io/acme',
  ],
  [
    'blank in a prefix',
    { images: { prefix: 'GHCR.io/Acme Corp' } },
    'images.prefix: "Acme Corp" is no part of a repository',
  ],
  ['capitals in a prefix', { images: { prefix: 'ghcr.io/Acme' } }, 'images.prefix: "Acme" has capital letters'],
  ['digest in a prefix', { images: { prefix: 'ghcr.io/acme@sha256:abc' } }, 'images.prefix: holds no digest'],
  ['tag in a prefix', { images: { prefix: 'ghcr.io/acme:1.2' } }, 'images.prefix: "acme:1.2" holds a tag'],
  [
    'port of a prefix beyond all',
    { images: { prefix: 'ghcr.io:99999/acme' } },
    'images.prefix: "ghcr.io:99999" names no port',
  ],
  ['two slashes in a prefix', { images: { prefix: 'ghcr.io//acme' } }, 'images.prefix: "" is no part of a repository'],
  ['login in a prefix', { images: { prefix: 'me:secret@ghcr.io/acme' } }, 'images.prefix: holds no digest and no user'],
  ['long prefix', { images: { prefix: 'a'.repeat(300) } }, 'images.prefix: has 300 characters'],
  ['empty prefix', { images: { prefix: '' } }, 'images.prefix: may not be empty'],
  [
    'half a digest',
    { images: { tags: { auth: 'sha256:abc' } } },
    'images.tags.auth: has to be an image tag, or a digest',
  ],
  [
    'capital digest',
    { images: { tags: { auth: `sha256:${'A'.repeat(64)}` } } },
    'images.tags.auth: has to be an image tag, or a digest',
  ],
  [
    'repository as a tag',
    { images: { tags: { auth: 'quay.io/auth:26' } } },
    'images.tags.auth: has to be an image tag',
  ],
  ['tag that begins with a dash', { images: { tags: { auth: '-1' } } }, 'images.tags.auth: has to be an image tag'],
  [
    'tag of 129 characters',
    { images: { tags: { auth: 'a'.repeat(129) } } },
    'images.tags.auth: has to be an image tag',
  ],
  [
    'pull Secret with a blank',
    { images: { pullSecrets: ['Bad Secret!'] } },
    'images.pullSecrets.0: has to be the name of a Secret',
  ],
  [
    'pull Secret in capitals',
    { images: { pullSecrets: ['good', 'Registry'] } },
    'images.pullSecrets.1: has to be the name of a Secret',
  ],
  ['pull Secret twice', { images: { pullSecrets: ['one', 'two', 'one'] } }, 'images.pullSecrets.2: names one again'],
  [
    'pull Secret with a path',
    { images: { pullSecrets: ['default/one'] } },
    'images.pullSecrets.0: has to be the name of a Secret',
  ],
  ['pull Secrets as a text', { images: { pullSecrets: 'one' } }, 'images.pullSecrets: has to be a list, not "one"'],
  ['scheme in a domain', { domain: 'https://x.example' }, 'domain: has no scheme: write x.example'],
  ['path in a domain', { domain: 'x.example/portal' }, 'domain: is a domain alone: write x.example'],
  ['dashes around a domain', { domain: '-bad-' }, 'domain: has to be a domain: "-bad-" is not made of'],
  ['blank in a domain', { domain: 'x y' }, 'domain: has to be a domain: "x y" is not made of'],
  ['two dots in a domain', { domain: 'a..b' }, 'domain: has a dot too many'],
  ['dot behind a domain', { domain: 'example.org.' }, 'domain: has a dot too many'],
  ['port in a domain', { domain: 'example.org:8443' }, 'domain: has no port'],
  ['capitals in a domain', { domain: 'Example.org' }, 'domain: is written in small letters: example.org'],
  ['umlaut in a domain', { domain: 'münchen.example' }, 'domain: has to be a domain: "münchen"'],
  ['underscore in a domain', { domain: 'a_b.example' }, 'domain: has to be a domain: "a_b"'],
  ['asterisk in a domain', { domain: '*.example.org' }, 'domain: has no asterisk: write example.org'],
  ['address as a domain', { domain: '10.0.0.1' }, 'domain: has to be a name'],
  ['part of a domain too long', { domain: `${'a'.repeat(64)}.example` }, 'domain: has to be a domain'],
  ['domain too long', { domain: Array(70).fill('abc').join('.') }, 'domain: has 279 characters: at most 200'],
  ['line break in a domain', { domain: 'a.example\nb' }, 'domain: has to be a domain'],
  [
    'limits as a word',
    { resources: { auth: { limits: { cpu: 'two' } } } },
    'resources.auth.limits.cpu: "two" is no quantity of Kubernetes, such as 500m, 2 or 1Gi',
  ],
  [
    'limits in GB',
    { resources: { auth: { limits: { memory: '1GB' } } } },
    'resources.auth.limits.memory: "1GB" is no quantity of Kubernetes, did you mean 1Gi or 1G?',
  ],
  [
    'limits with a blank',
    { resources: { auth: { limits: { memory: '1 Gi' } } } },
    'resources.auth.limits.memory: "1 Gi" is no quantity of Kubernetes, did you mean 1Gi?',
  ],
  [
    'small letters in limits',
    { resources: { auth: { limits: { memory: '512mi' } } } },
    'resources.auth.limits.memory: "512mi" is no quantity of Kubernetes, did you mean 512Mi?',
  ],
  ['comma in limits', { resources: { auth: { limits: { memory: '1,5Gi' } } } }, 'did you mean 1.5Gi?'],
  [
    'thousandths of a byte',
    { resources: { auth: { limits: { memory: '512m' } } } },
    'resources.auth.limits.memory: "512m" is a fraction of a byte: m is a thousandth, did you mean 512Mi?',
  ],
  [
    'less than nothing',
    { resources: { auth: { requests: { cpu: '-1' } } } },
    'resources.auth.requests.cpu: "-1" is less than nothing',
  ],
  [
    'less than nothing as a number',
    { resources: { auth: { requests: { cpu: -1 } } } },
    'resources.auth.requests.cpu: "-1" is less than nothing',
  ],
  [
    'an empty amount',
    { resources: { auth: { requests: { cpu: '' } } } },
    'resources.auth.requests.cpu: "" is no quantity',
  ],
  [
    'no amount',
    { resources: { auth: { requests: { cpu: null } } } },
    'resources.auth.requests.cpu: has to be a text, or a number, not empty',
  ],
  [
    'true as an amount',
    { resources: { auth: { requests: { cpu: true } } } },
    'resources.auth.requests.cpu: has to be a text, or a number, not true',
  ],
  [
    'an endless amount',
    { resources: { auth: { requests: { cpu: '9'.repeat(50_000) } } } },
    'resources.auth.requests.cpu: "9999',
  ],
  [
    'an amount beyond all',
    { resources: { auth: { requests: { memory: '99999999Ei' } } } },
    'is more than Kubernetes can count',
  ],
  [
    'requests over limits',
    { resources: { auth: { requests: { memory: '2Gi' }, limits: { memory: '1500M' } } } },
    'resources.auth.requests.memory: 2Gi is more than the limit of 1500M',
  ],
  [
    'requests over limits in thousandths',
    { resources: { auth: { requests: { cpu: 2 }, limits: { cpu: '1999m' } } } },
    'resources.auth.requests.cpu: 2 is more than the limit of 1999m',
  ],
  [
    'a resource that is none',
    { resources: { auth: { limits: { ram: '1Gi' } } } },
    'resources.auth.limits.ram: is no resource of a container',
  ],
  [
    'a resource of a cluster',
    { resources: { auth: { limits: { pods: 1 } } } },
    'resources.auth.limits.pods: is no resource of a container',
  ],
  [
    'half a graphics card',
    { resources: { auth: { limits: { 'nvidia.com/gpu': '500m' } } } },
    'limits.nvidia.com/gpu: "500m" is a fraction of one',
  ],
  [
    'a shared graphics card',
    { resources: { auth: { requests: { 'nvidia.com/gpu': 1 }, limits: { 'nvidia.com/gpu': 2 } } } },
    'has to be the same as the limit (2)',
  ],
  [
    'a graphics card without a limit',
    { resources: { auth: { requests: { 'nvidia.com/gpu': 1 } } } },
    'has to be in limits, too',
  ],
  [
    'limits in the wrong place',
    { resources: { auth: { cpu: 1 } } },
    'resources.auth.cpu: unknown key; known here: requests, limits',
  ],
  [
    'resources of workers over limits',
    { deployer: { resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } } },
    'deployer.resources.requests.cpu: 2 is more than the limit of 1',
  ],
  [
    'storage in GB',
    { storage: { sizes: { database: '10GB' } } },
    'storage.sizes.database: "10GB" is no quantity of Kubernetes, did you mean 10Gi or 10G?',
  ],
  ['no storage', { storage: { sizes: { database: 0 } } }, 'storage.sizes.database: has to be more than nothing'],
  [
    'thousandths of storage',
    { storage: { sizes: { database: '10m' } } },
    'storage.sizes.database: "10m" is a fraction of a byte: m is a thousandth, did you mean 10Mi?',
  ],
  [
    'storage class with a blank',
    { storage: { class: 'fast ssd' } },
    'storage.class: has to be the name of a StorageClass',
  ],
  ['empty storage class', { storage: { class: '' } }, 'storage.class: has to be the name of a StorageClass'],
  [
    'storage class with an underscore',
    { storage: { class: 'fast_ssd' } },
    'storage.class: has to be the name of a StorageClass',
  ],
  [
    'ingress class in capitals',
    { ingress: { className: 'Nginx' } },
    'ingress.className: has to be the name of an IngressClass',
  ],
  [
    'namespace with dots',
    { ingress: { controllerNamespace: 'ingress.nginx' } },
    'ingress.controllerNamespace: has to be the name of a namespace',
  ],
  [
    'namespace too long',
    { ingress: { controllerNamespace: 'n'.repeat(64) } },
    'ingress.controllerNamespace: has to be the name of a namespace',
  ],
  [
    'annotation with a blank',
    { ingress: { annotations: { 'a b': 'x' } } },
    'ingress.annotations.a b: is no key of an annotation',
  ],
  [
    'annotation with two slashes',
    { ingress: { annotations: { 'a/b/c': 'x' } } },
    'ingress.annotations.a/b/c: is no key of an annotation',
  ],
  [
    'annotation that begins with a slash',
    { ingress: { annotations: { '/a': 'x' } } },
    'ingress.annotations./a: is no key of an annotation',
  ],
  ['annotation too long', { ingress: { annotations: { [`a/${'n'.repeat(64)}`]: 'x' } } }, 'is no key of an annotation'],
  [
    'annotation of an account',
    { vault: { serviceAccountAnnotations: { 'a b': 'x' } } },
    'vault.serviceAccountAnnotations: unknown key',
  ],
  [
    'certificate in capitals',
    { ingress: { tls: { secretName: 'Wildcard' } } },
    'ingress.tls.secretName: has to be the name of a Secret',
  ],
  [
    'issuer with a slash',
    { ingress: { tls: { clusterIssuer: 'a/b' } } },
    'ingress.tls.clusterIssuer: has to be the name of a ClusterIssuer',
  ],
  ['webhook of a file', { notify: { webhook: 'file:///etc/passwd' } }, 'notify.webhook: has to be https://HOST/PATH'],
  [
    'webhook of a script',
    { notify: { webhook: 'javascript:alert(1)' } },
    'notify.webhook: has to be https://HOST/PATH',
  ],
  ['webhook without a host', { notify: { webhook: 'https:///x' } }, 'notify.webhook: has to be https://HOST/PATH'],
  [
    'webhook without a scheme',
    { notify: { webhook: 'hooks.example.org/x' } },
    'notify.webhook: has to be https://HOST/PATH',
  ],
  [
    'webhook with a password',
    { notify: { webhook: 'https://me:secret@hooks.example.org' } },
    'notify.webhook: must not hold a name or password',
  ],
  [
    'metrics on a port alone',
    { telemetry: { metrics: { listen: '9464' } } },
    'telemetry.metrics.listen: has to be host:port',
  ],
  [
    'a target that is told nowhere',
    { notify: { targets: { ops: { format: 'slack' } } } },
    'notify.targets.ops: has to name either a url or a command',
  ],
  [
    'a target with two ways',
    { notify: { targets: { ops: { url: 'https://ops.example', command: ['x'] } } } },
    'notify.targets.ops: has to name either a url or a command',
  ],
  [
    'a command with a signature',
    { notify: { targets: { ops: { command: ['x'], signingKey: { file: '/key' } } } } },
    'notify.targets.ops: is a command, which gets neither headers nor a signature',
  ],
  [
    'a target by the name of what was there before',
    { notify: { targets: { webhook: { url: 'https://ops.example' } } } },
    'notify.targets: names one webhook or command',
  ],
  [
    'a mistyped event',
    { notify: { targets: { ops: { command: ['x'], events: ['failed'] } } } },
    'notify.targets.ops.events.0',
  ],
  [
    'an event twice',
    { notify: { targets: { ops: { command: ['x'], events: ['end', 'end'] } } } },
    'notify.targets.ops.events.1: names one again: end',
  ],
  ['a secret as it is', { notify: { targets: { ops: { url: 'T0/B0/xyz' } } } }, 'notify.targets.ops.url'],
  ['a variable that is none', { notify: { targets: { ops: { url: { env: 'A-B' } } } } }, 'notify.targets.ops.url'],
  ['notify without a program', { notify: { command: [''] } }, 'notify.command: begins with an empty text'],
  ['notify as a text', { notify: { command: 'send it' } }, 'notify.command: has to be a list, not "send it"'],
  ['engine without a port', { engine: { address: 'temporal.example.org' } }, 'engine.address: has to be host:port'],
  [
    'engine with a scheme',
    { engine: { address: 'https://temporal.example.org:7233' } },
    'engine.address: has to be host:port, without a scheme',
  ],
  [
    'engine with port 0',
    { engine: { address: 'temporal.example.org:0' } },
    'engine.address: has to be host:port with a port from 1 to 65535',
  ],
  [
    'engine with a port beyond all',
    { engine: { address: 'temporal.example.org:70000' } },
    'engine.address: has to be host:port with a port from 1 to 65535',
  ],
  [
    'namespace of Temporal with a slash',
    { engine: { namespace: 'a/b' } },
    'engine.namespace: has to be the name of a namespace in Temporal',
  ],
  ['tls as a word', { engine: { tls: 'on' } }, 'engine.tls: has to be true or false, or a group of keys, not "on"'],
  [
    'server name with a scheme',
    { engine: { tls: { serverName: 'https://x' } } },
    'engine.tls.serverName: has to be the name of a host',
  ],
  [
    'variable in a path',
    { cluster: { kubeconfig: '$HOME/.kube/config' } },
    'cluster.kubeconfig: holds a variable, and none is replaced here: write ~/',
  ],
  [
    'home of somebody else',
    { cluster: { kubeconfig: '~anna/.kube/config' } },
    'cluster.kubeconfig: names the home folder of somebody else',
  ],
  [
    'address as a file',
    { engine: { apiKeyFile: 'https://vault.example.org/key' } },
    'engine.apiKeyFile: has to be the path of a file',
  ],
  ['empty path', { chartLock: '' }, 'chartLock: may not be empty'],
  ['context with a line break', { cluster: { context: 'a\nb' } }, 'cluster.context: has to be one line'],
  ['blank context', { cluster: { context: '  ' } }, 'cluster.context: may not be empty'],
  [
    'kind image in capitals',
    { cluster: { context: undefined, kind: { image: 'Kindest/Node:1' } } },
    'cluster.kind.image: "Kindest" has capital letters',
  ],
  [
    'image of workers without a tag',
    { deployer: { image: 'registry.example.org:5000/deploy' } },
    'deployer.image: needs a tag or a digest',
  ],
  [
    'image of workers with a scheme',
    { deployer: { image: 'https://registry.example.org/deploy:1' } },
    'deployer.image: has no scheme',
  ],
  [
    'role with a slash',
    { deployer: { clusterRole: 'a/b' } },
    'deployer.clusterRole: has to be the name of a ClusterRole',
  ],
  ['mirror by FTP', { chartMirror: 'ftp://mirror.example.org' }, 'chartMirror: has to be oci://HOST/PATH'],
  ['mirror without a host', { chartMirror: 'https:///charts' }, 'chartMirror: is no address'],
  [
    'mirror with a password',
    { chartMirror: 'oci://me:secret@mirror.example.org/charts' },
    'chartMirror: must not hold a name or password',
  ],
  [
    'git with a password',
    { gitops: { repoURL: 'https://me:secret@git.example.org/r.git' } },
    'gitops.repoURL: must not hold a name or password',
  ],
  [
    'git without an address',
    { gitops: { repoURL: 'our repository' } },
    'gitops.repoURL: has to be the address of a git repository',
  ],
  ['revision with a blank', { gitops: { targetRevision: 'my branch' } }, 'gitops.targetRevision: has to be a branch'],
  [
    'folder out of the repository',
    { gitops: { path: '../charts' } },
    'gitops.path: has to be a folder of the repository',
  ],
  [
    'external Vault by FTP',
    { vault: { external: { address: 'ftp://v' }, kubernetesHost: 'https://k' } },
    'vault.external.address: has to be https://HOST:PORT',
  ],
  [
    'API server as a host',
    { vault: { kubernetesHost: 'api.example.org' } },
    'vault.kubernetesHost: has to be auto, or https://HOST:PORT',
  ],
  [
    'line break for a key service',
    { vault: { seal: { type: 'awskms', parameters: { region: 'r"\n}', kms_key_id: 'k' } } } },
    'vault.seal.parameters.region: has to be one line',
  ],
  ['a million replicas', { replicas: { default: 1_000_000 } }, 'replicas.default: has to be at most 1000'],
  ['half a replica', { replicas: { services: { auth: 1.5 } } }, 'replicas.services.auth: has to be a whole number'],
  [
    'a time-out of years',
    { helm: { timeoutSeconds: 1e9 } },
    'helm.timeoutSeconds: has to be at most 1209600 (14 days)',
  ],
  ['a time-out of nothing', { helm: { timeoutSeconds: 0 } }, 'helm.timeoutSeconds: has to be more than 0'],
  ['a duration with a unit', { helm: { timeoutSeconds: '5m' } }, 'helm.timeoutSeconds: has to be a number, not "5m"'],
  ['drift at every moment', { drift: { everySeconds: 0.01 } }, 'drift.everySeconds: has to be at least 1'],
  ['health without end', { healthTimeoutFactor: 1e6 }, 'healthTimeoutFactor: has to be at most 100'],
  ['a description of several lines', { description: 'a\nb' }, 'description: has to be one line'],
  [
    'links that go over the network in clear',
    { notify: { links: { url: 'http://answers.example', key: { env: 'K' }, listen: '127.0.0.1:1' } } },
    'notify.links.url: has to be https',
  ],
  [
    'answers taken in clear from everywhere',
    { notify: { links: { url: 'https://answers.example', key: { env: 'K' }, listen: '0.0.0.0:8443' } } },
    'notify.links.listen: can be reached from other machines: say tls',
  ],
  [
    'links for a target without a key',
    { notify: { targets: { ops: { url: 'https://x.example', links: true } } } },
    'notify.targets.ops.links: needs notify.links',
  ],
  [
    'an operation for other teams that there is not',
    { nexus: { operations: ['destroy'], callers: ['a'] } },
    'nexus.operations.0: cannot be "destroy": use status or verify or deploy or promote',
  ],
  ['operations for nobody', { nexus: { operations: ['deploy'], callers: [] } }, 'nexus.callers: '],
  [
    'a promotion from nowhere',
    { nexus: { operations: ['promote'], callers: ['a'] } },
    'nexus.promoteFrom: names no environment',
  ],
  [
    'an endpoint that no engine takes',
    { nexus: { operations: ['deploy'], callers: ['a'], endpoint: 'a.b' } },
    'nexus.endpoint: has to be letters, digits and dashes',
  ],
  ['a group that is empty', { images: null }, 'images: has to be a group of keys, not empty'],
];

describe('odd files', () => {
  for (const [what, text, says] of TEXTS) {
    test(`text: ${what}`, async () => {
      const environmentsDir = await newFolder();
      await writeFile(join(environmentsDir, 'x.yaml'), text);
      const found = await problemsOf(environmentsDir);
      assert.ok(found.includes(says), found);
    });
  }

  for (const [what, part, says] of FIELDS) {
    test(`field: ${what}`, async () => {
      const environmentsDir = await newFolder();
      await writeFile(join(environmentsDir, 'x.yaml'), stringify(mergeTrees(SOUND, part)));
      const found = await problemsOf(environmentsDir);
      assert.ok(found.startsWith('x.yaml: ') && found.includes(says), found);
    });
  }
});

describe('what is no file, or has no possible name', () => {
  const kinds: [what: string, make: (path: string) => Promise<unknown>, says: string][] = [
    ['folder', (path) => mkdir(path), 'x.yaml: is a folder, not a file'],
    ['dangling link', (path) => symlink('nowhere', path), 'x.yaml: is a link to a file that does not exist'],
    ['link to itself', (path) => symlink('x.yaml', path), 'x.yaml: is a link that leads back to itself'],
    ['link to a folder', (path) => symlink('/', path), 'x.yaml: is a folder, not a file'],
    ['device without end', (path) => symlink('/dev/zero', path), 'x.yaml: is no file that can be read'],
    [
      'pipe that nobody writes to',
      async (path) => execFileSync('mkfifo', [path]),
      'x.yaml: is no file that can be read',
    ],
  ];
  for (const [what, make, says] of kinds) {
    test(what, async () => {
      const environmentsDir = await newFolder();
      await make(join(environmentsDir, 'x.yaml'));
      await writeFile(join(environmentsDir, 'y.yaml'), 'extends: x\n');
      for (const name of ['x', 'y']) assert.ok((await problemsOf(environmentsDir, name)).includes(says));
    });
  }

  for (const name of [
    'trail-',
    '-lead',
    'with space',
    'ünï',
    'a'.repeat(80),
    'Prod',
    'a.b',
    'a_b',
    'cache',
    "o'clock",
    '$(x)',
    '日本',
  ]) {
    test(`name: ${name}`, async () => {
      const environmentsDir = await newFolder();
      await writeFile(join(environmentsDir, `${name}.yaml`), SOUND_TEXT);
      const found = await problemsOf(environmentsDir, name);
      assert.match(
        found,
        /: (an environment (is named with|cannot be called)|the name has 80 characters).*Rename the file/,
      );
    });
  }

  test('another ending, and names that no file can have', async () => {
    const environmentsDir = await newFolder();
    await writeFile(join(environmentsDir, 'staging.yml'), SOUND_TEXT);
    assert.equal(
      await problemsOf(environmentsDir, 'staging'),
      'staging.yaml: there is staging.yml: rename it to staging.yaml',
    );
    for (const name of ['', '../x', '/etc/passwd', 'a\0b', 'x'.repeat(100_000), '\u001b[31m']) {
      assert.match(await problemsOf(environmentsDir, name), /there is no environment/);
    }
  });

  test("editors' locks and copies are no environments", async () => {
    const environmentsDir = await newFolder();
    await symlink('anna@laptop.1234', join(environmentsDir, '.#x.yaml'));
    await writeFile(join(environmentsDir, 'x.yaml~'), 'a');
    await writeFile(join(environmentsDir, 'x.yaml'), SOUND_TEXT);
    assert.deepEqual(await listEnvironments({ environmentsDir }), ['x']);
  });

  test('a file in place of the folder', async () => {
    const path = join(await newFolder(), 'environments');
    await writeFile(path, '');
    assert.match(await problemsOf(path), /the folder of environments cannot be read/);
  });
});

describe('what Kubernetes and YAML allow is taken', () => {
  const load = async (text: string): Promise<Awaited<ReturnType<typeof loadEnvironment>>> => {
    const environmentsDir = await newFolder();
    await writeFile(join(environmentsDir, 'x.yaml'), text);
    return loadEnvironment('x', { environmentsDir, repoRoot });
  };

  test('merge keys, anchors, places for them, numbers as amounts', async () => {
    const { resources, storage } = await load(`x-small: &small { requests: { cpu: 0.5, memory: 1e9 } }
${SOUND_TEXT}resources:
  auth: &auth { <<: *small, limits: { cpu: 2, memory: 2Gi } }
  web: { <<: [*auth, *small] }
storage: { sizes: { database: 1073741824 } }
`);
    assert.deepEqual(resources['auth'], {
      requests: { cpu: '0.5', memory: '1000000000' },
      limits: { cpu: '2', memory: '2Gi' },
    });
    assert.deepEqual(resources['web'], resources['auth']);
    assert.equal(storage.sizes['database'], '1073741824');
  });

  test('one alias for every service', async () => {
    const names = ['auth', 'web', 'database', 'worker', 'admin'];
    const { resources } = await load(
      `${SOUND_TEXT}resources:\n  vault: &a { limits: { cpu: 1 } }\n${names.map((name) => `  ${name}: *a`).join('\n')}\n`,
    );
    assert.equal(Object.keys(resources).length, names.length + 1);
  });

  const FORMS: [what: string, part: Tree][] = [
    ...[
      'registry',
      'localhost:5000',
      'ghcr.io/acme',
      'GHCR.io/acme',
      'a.b:5000/c_d/e__f/g---h',
      '[::1]:5000/x',
      'docker.io/library',
    ].map((prefix): [string, Tree] => [`prefix ${prefix}`, { images: { prefix } }]),
    ...['_abc', 'abc-', 'abc.', 'A', '1', 'a'.repeat(128), `sha256:${'0'.repeat(64)}`].map((tag): [string, Tree] => [
      `tag ${tag}`,
      { images: { tags: { auth: tag } } },
    ]),
    ...['localhost', 'ananta.localhost', 'xn--mnchen-3ya.example', '1.example', 'a-b.c'].map(
      (domain): [string, Tree] => [`domain ${domain}`, { domain }],
    ),
    ...['0', '.5', '1.', '100m', '1e3', '1E3', '2Ki', '+1', '1e-3', '3u', '5n'].map((cpu): [string, Tree] => [
      `cpu ${cpu}`,
      { resources: { auth: { requests: { cpu } } } },
    ]),
    ...['1Gi', '1G', '1.5Gi', '1000k', '1e9', '128974848', '8Ei']
      .slice(0, 6)
      .map((size): [string, Tree] => [`size ${size}`, { storage: { sizes: { database: size } } }]),
    [
      'graphics cards',
      { resources: { auth: { requests: { 'nvidia.com/gpu': 1 }, limits: { 'nvidia.com/gpu': '1' } } } },
    ],
    [
      'large pages',
      { resources: { auth: { requests: { 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } } } },
    ],
    ['limits below no request', { resources: { auth: { limits: { memory: '1Gi' } } } }],
    [
      'names with dots',
      { images: { pullSecrets: ['a.b-c'] }, storage: { class: 'csi.example.com-fast' }, ingress: { className: 'a.b' } },
    ],
    [
      'annotations',
      {
        ingress: {
          annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '50m', plain: '', 'Upper-Case.x/Y_z': 'z' },
        },
      },
    ],
    ['a role of the system', { deployer: { clusterRole: 'system:aggregate-to-edit' } }],
    ['repositories', { gitops: { repoURL: 'git@git.example.org:platform/repo.git' } }],
    ['an engine by its address', { engine: { address: '[::1]:7233', namespace: 'ns.a1b2c' } }],
    ['a name of a service in a cluster', { engine: { address: 'temporal-frontend.temporal_x.svc:7233' } }],
  ];
  for (const [what, part] of FORMS)
    test(what, async () => assert.equal((await load(stringify(mergeTrees(SOUND, part)))).name, 'x'));

  test('~ is the home folder, in every field that names a file', async () => {
    const { cluster, engine, chartMirror, notify } = await load(
      stringify(
        mergeTrees(SOUND, {
          cluster: { kubeconfig: '~/.kube/config' },
          engine: { apiKeyFile: '~/key', tls: { ca: '~/ca.pem' } },
          chartMirror: { url: '~/charts', credentials: undefined },
          notify: { headersFile: '~/headers' },
        }),
      ),
    );
    assert.equal('context' in cluster && cluster.kubeconfig, join(homedir(), '.kube/config'));
    assert.deepEqual('address' in engine && [engine.apiKeyFile, engine.tls], [
      join(homedir(), 'key'),
      { ca: join(homedir(), 'ca.pem') },
    ]);
    assert.deepEqual(
      [typeof chartMirror === 'object' && chartMirror.url, notify.headersFile],
      [join(homedir(), 'charts'), join(homedir(), 'headers')],
    );
  });
});
