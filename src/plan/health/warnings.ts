/** Why pods are not made, started or given a volume, in the words of the controllers that met it. */
import { z } from 'zod';

const time = z.string().nullish();
const schema = z.object({
  type: z.string().default(''),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  involvedObject: z.object({ kind: z.string().default(''), name: z.string().default(''), uid: z.string().nullish() }),
  lastTimestamp: time,
  eventTime: time,
  series: z.object({ lastObservedTime: time }).nullish(),
  metadata: z.object({ creationTimestamp: time }),
});

export interface Warning {
  /** `StatefulSet x` */
  about: string;
  reason: string;
  message: string;
  /** Milliseconds of the epoch, by the cluster's clock: when it was last met. */
  at: number;
  /** No pod could be made, and trying again makes none: a quota, a limit, a policy, or a webhook that says no. */
  refused: boolean;
}

/** What a release consists of, as far as controllers speak of it. */
export interface Spoken {
  /** Workloads, pods and volume claims. */
  objects: readonly { kind: string; name: string; uid: string }[];
}

/** Said of pods of every release, by what comes and goes while they start. */
const NOISE = ['Unhealthy', 'BackOff', 'FailedToRetrieveImagePullSecret', 'Killing', 'NodeNotReady'];
/** The words of the API server's admission, as controllers pass them on. */
const REFUSED =
  /exceeded quota|violates PodSecurity|(?:maximum|minimum) \S+ (?:usage|limit to request ratio) per|denied (?:the )?request|is forbidden: |is invalid: /;

/** @param events objects of kind Event @returns what is said of the release, the newest first, each thing once */
export function warningsOf(events: readonly unknown[], { objects }: Spoken): Warning[] {
  const found = events.flatMap((event) => {
    const parsed = schema.safeParse(event);
    if (!parsed.success || parsed.data.type !== 'Warning' || NOISE.includes(parsed.data.reason ?? '')) return [];
    const { involvedObject: about, reason, message } = parsed.data;
    if (!objects.some((object) => isAbout(object, about))) return [];
    return [
      {
        about: `${about.kind} ${about.name}`,
        reason: reason ?? '',
        message: oneLine(message ?? ''),
        at: timeOf(parsed.data),
        refused:
          reason === 'FailedCreate' && REFUSED.test(message ?? '') && !/failed calling webhook/.test(message ?? ''),
      },
    ];
  });
  const newest = found.sort((a, b) => b.at - a.at);
  return newest.filter((warning, index) => newest.findIndex(({ about }) => about === warning.about) === index);
}

/** `StatefulSet x: FailedCreate (pods "x-0" is forbidden: exceeded quota …)` */
export function warningText({ about, reason, message }: Warning): string {
  return `${about}: ${reason}${message === '' ? '' : ` (${message.slice(0, 400)})`}`;
}

/** A ReplicaSet is its Deployment's: it bears that one's name and a hash. */
function isAbout(object: Spoken['objects'][number], about: z.infer<typeof schema>['involvedObject']): boolean {
  if (object.kind === 'Deployment' && about.kind === 'ReplicaSet')
    return about.name.startsWith(`${object.name}-`) && /^[a-z0-9]+$/.test(about.name.slice(object.name.length + 1));
  return object.kind === about.kind && object.name === about.name && (!about.uid || about.uid === object.uid);
}

function timeOf({ series, lastTimestamp, eventTime, metadata }: z.infer<typeof schema>): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0;
}

/** Without what a controller says around the API server's own words, and the part of a name that it makes up. */
function oneLine(message: string): string {
  return message
    .replaceAll(/\s+/g, ' ')
    .replace(/^\(combined from similar events\): /, '')
    .replace(/^Error creating: |^create Pod \S+ in StatefulSet \S+ failed error: /i, '')
    .replace(/^(pods "\S+-)[bcdfghjklmnpqrstvwxz2456789]{5}(" is forbidden)/, '$1…$2')
    .trim();
}
