/**
 * What Helm's error output means. Helm 4 reports errors as text only, so its phrases and the API server's are
 * classified here, once; each rule was seen in a trial and has its text in the tests.
 */
import { FAILURES, type FailureType } from '../../contract/failures.ts';
import { waysIn } from '../../plan/ownership/foreign-object.ts';

export interface Classified {
  type: FailureType;
  /** One to a few lines, without Helm's log prefixes. */
  message: string;
}

interface Rule {
  type: FailureType;
  pattern: RegExp;
  /** In place of Helm's own text. */
  say?: (match: RegExpExecArray, text: string) => string;
}

const LONGEST = 1200;
/** At the end of a text that was cut. */
export const CUT = "all of them in Helm's log";

const RULES: readonly Rule[] = [
  // Whoever reads this has to find out whose the object is: Helm names what it lacks, and not what to do.
  {
    type: FAILURES.rejectedByCluster,
    pattern: /(\w+) "([^"]+)" in namespace "([^"]*)" exists and cannot be imported into the current release/,
    say: ([, kind = '', name = '', namespace = ''], text) => {
      const named = /"meta\.helm\.sh\/release-(name|namespace)"(?:: must be set to| must equal) "([^"]+)"/g;
      const release = new Map([...text.matchAll(named)].map(([, which, value]) => [which, value]));
      const object = { kind, name, ...(namespace === '' ? {} : { namespace }) };
      const marks = { name: release.get('name') ?? 'RELEASE', namespace: release.get('namespace') ?? 'NAMESPACE' };
      const where = namespace === '' ? '' : ` in ${namespace}`;
      return [
        `${kind} ${name}${where} is not of this release and cannot be imported into it. Move it out of the way; or, if it is to belong to the release, give it to it; then run the same again:`,
        ...waysIn(object, marks, undefined).map((line) => `  ${line}`),
      ].join('\n');
    },
  },
  {
    type: FAILURES.releaseBusy,
    pattern:
      /another operation \(install\/upgrade\/rollback\) is in progress|release: already exists|cannot re-use a name that is still in use/,
    say: (_match, text) => `another Helm operation on this release is in progress (${text})`,
  },
  // The plug-in of the kubeconfig, which Helm starts itself. The worker logs in by the same one.
  { type: FAILURES.unreachable, pattern: /getting credentials: (?:exec|decoding stdout)/ },
  // etcd goes away, or is full, in the middle of a request: the API server wraps that in whatever it was doing, "is
  // invalid" among it.
  {
    type: FAILURES.unreachable,
    pattern:
      /rpc error: code = (?:Unavailable|DeadlineExceeded|Canceled)|etcdserver: (?:leader changed|no leader|request timed out|mvcc: database space exceeded)/,
  },
  {
    type: FAILURES.damagedRecord,
    pattern: /"?([^"\s]+)"? has no deployed releases/,
    say: (match) =>
      `Helm finds no revision of ${match[1] ?? 'it'} that was ever deployed, so there is nothing to upgrade from. Look at its records (kubectl get secrets --all-namespaces --selector owner=helm,name=${match[1] ?? ''}); with the newest one deleted (the record alone: its objects stay) the next deployment takes over what is there`,
  },
  {
    type: FAILURES.rejectedByCluster,
    pattern: /failed to allocate a serviceIP: (?:.*)range is full/,
    say: (_match, text) =>
      `the cluster's range of Service addresses is full. Delete Services that nobody needs (kubectl get services -A), or add a range (a ServiceCIDR, docs/do/runbook.md): ${text}`,
  },
  {
    type: FAILURES.rejectedByCluster,
    pattern: /failed to allocate a nodePort: (?:.*)range is full/,
    say: (_match, text) =>
      `the cluster's range of NodePorts is full. Delete Services of type NodePort or LoadBalancer that nobody needs: ${text}`,
  },
  // A webhook that is down comes back, within limits; without its name nobody finds it.
  {
    type: FAILURES.webhookFailed,
    pattern: /failed calling webhook "([^"]+)"/,
    say: (match, text) => `the admission webhook "${match[1] ?? ''}" cannot be called: ${text}`,
  },
  {
    type: FAILURES.forbidden,
    pattern:
      /User "([^"]+)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"( in the namespace "[^"]+"| at the cluster scope)?/,
    say: (match) =>
      `${match[1] ?? ''} may not ${match[2] ?? ''} ${match[3] ?? ''}${match[4] ? `.${match[4]}` : ''}${match[5] ?? ''}: grant it that right`,
  },
  {
    type: FAILURES.fieldConflict,
    pattern: /Apply failed with \d+ conflicts?:/,
    say: (_match, text) =>
      `fields of an object belong to another manager, and nothing is taken over by force: ${conflictsOf(text)}`,
  },
  {
    type: FAILURES.immutableField,
    pattern:
      /field is immutable|updates to statefulset spec for fields other than|may not change once set|field can not be changed|is immutable after creation/,
    say: (_match, text) =>
      `a field that cannot be changed in place would change, and nothing is deleted to get around that: ${text.replace(/Invalid value: .*?: (?=field is immutable)/gs, '')}`,
  },
  {
    type: FAILURES.rejectedByCluster,
    pattern:
      /exceeded quota|violates PodSecurity|denied (?:the )?request|Request entity too large|Too long: must have at most|etcdserver: request is too large|trying to send message larger than max/,
  },
  { type: FAILURES.helmInterrupted, pattern: /because it is being terminated|error looking up service account/ },
  {
    type: FAILURES.rejectedByCluster,
    pattern:
      /field not declared in schema|failed to create typed patch object|is invalid: |namespaces "[^"]+" not found|is forbidden: /,
  },
  {
    type: FAILURES.chartInvalid,
    pattern:
      /values don't meet the specifications of the schema|YAML parse error|error converting YAML|nil pointer evaluating|executing "[^"]+" at <|parse error at|function "[^"]+" not defined|path "[^"]+" not found|Chart\.yaml file is missing|found in Chart\.yaml, but missing in charts|no matches for kind|wrong type for value|chart requires kubeVersion|validation: chart\.metadata|failed to parse .*values|cannot load values/,
  },
  {
    type: FAILURES.helmInterrupted,
    pattern: /failed (?:pre|post)-(?:install|upgrade|rollback).*context deadline exceeded/s,
  },
  { type: FAILURES.jobFailed, pattern: /failed (?:pre|post)-(?:install|upgrade|rollback)/ },
  {
    type: FAILURES.unreachable,
    pattern:
      /cluster unreachable|connection refused|no such host|i\/o timeout|TLS handshake timeout|unexpected EOF|: EOF|connection reset|broken pipe|client connection lost|too many requests|etcdserver: |currently unable to handle the request|apiserver not ready|unable to return a response in the time allotted|database space exceeded|x509: |Unauthorized|the server has asked for the client to provide credentials/i,
  },
  { type: FAILURES.helmInterrupted, pattern: /context canceled|context deadline exceeded|client rate limiter/ },
];

/** @param output what the process wrote, both streams in order */
export function classifyHelmOutput(output: string): Classified {
  const text = lastWords(output);
  for (const { type, pattern, say } of RULES) {
    const match = pattern.exec(text);
    if (match) return { type, message: shorten(say ? say(match, text) : text) };
  }
  return { type: FAILURES.unexpected, message: shorten(text === '' ? 'Helm ended without a word' : text) };
}

/** From the last `Error:` on, without log lines. */
function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => !/^level=|^time=/.test(line));
  const start = lines.findLastIndex((line) => line.startsWith('Error: '));
  const said = start === -1 ? lines.slice(-5) : lines.slice(start);
  return said
    .join('\n')
    .replace(/^Error: /, '')
    .replace(/^UPGRADE FAILED: |^INSTALLATION FAILED: /, '')
    .trim();
}

/** `kubectl: .spec.replicas` for each conflict. */
function conflictsOf(text: string): string {
  const parts = [...text.matchAll(/conflict(?:s)? with "([^"]+)"[^:]*:\s*((?:\s*-?\s*\.\S+)+)/g)];
  const object = /applying object (\S+ \S+, Kind=\S+?):/.exec(text)?.[1];
  if (parts.length === 0) return text;
  const fields = parts
    .map((part) => `${(part[2] ?? '').replaceAll(/\s*-?\s*(\.\S+)/g, ' $1').trim()} is owned by "${part[1] ?? ''}"`)
    .join('; ');
  return `${object === undefined ? '' : `${object}: `}${fields}`;
}

function shorten(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} … (${text.length} characters, ${CUT})`;
}
