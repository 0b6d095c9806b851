/** The alphabet of the random ends of names that Kubernetes generates. */
const MADE_UP = '[bcdfghjklmnpqrstvwxz2456789]';
const OF_DEPLOYMENT = new RegExp(`^(.+)-${MADE_UP}{6,10}-${MADE_UP}{5}$`);

/** Name of the workload, from the name of its pod, which is the host name inside. */
export function serviceOfPod(pod: string): string {
  return OF_DEPLOYMENT.exec(pod)?.[1] ?? /^(.+)-\d+$/.exec(pod)?.[1] ?? pod;
}
