/**
 * What kind of writer stands behind a field manager. There is nothing but its name to go by, so only names that
 * programs set themselves count.
 */
import { HELM_MANAGER, isSystem, type ManagedEntry } from './managed.ts';

export type Writer =
  /** Parts of Kubernetes, and this deployer. */
  | 'system'
  /** Helm in the name of a release: what it applied, and apart from that what an admission webhook added to it. */
  | 'helm'
  /** A person with a tool for people. */
  | 'hand'
  /** Everything else: operators, webhooks, scripts. */
  | 'controller';

/**
 * What people change clusters with. kubectl calls itself `kubectl-edit`, `kubectl-set`, `kubectl-patch` …; browsers
 * come from consoles such as the Dashboard, Headlamp or OpenShift's.
 */
const TOOLS = /^(kubectl([.-].*)?|oc|k9s|lens|freelens|openlens|mozilla|curl|wget|before-first-apply)$/i;

export function writerOf(entry: Pick<ManagedEntry, 'manager' | 'operation' | 'subresource'>): Writer {
  if (isSystem(entry)) return 'system';
  // What admission adds to a request is recorded as an Update by whoever sent it.
  if (entry.manager === HELM_MANAGER) return entry.operation === 'Update' ? 'controller' : 'helm';
  return TOOLS.test(entry.manager) ? 'hand' : 'controller';
}
