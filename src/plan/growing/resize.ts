/** How far the resize of a claim is. Pure. */
import { compareSizes, type SeenClaim } from './live.ts';

export type ResizeState =
  | { state: 'done' }
  /** The volume has grown; its file system does when a pod mounts it. */
  | { state: 'unmounted' }
  | { state: 'waiting'; text: string }
  /** A resize in this state never completes by itself. */
  | { state: 'failed'; text: string };

/** What Kubernetes says of a resize that its driver refuses for good. */
const INFEASIBLE = /Infeasible$/;
const ERRORS = ['ControllerResizeError', 'NodeResizeError'];
const FILE_SYSTEM = 'FileSystemResizePending';

/** @param mounted whether a pod that is not ending uses it */
export function resizeState(claim: SeenClaim, to: string, mounted: boolean): ResizeState {
  const { capacity = '0', conditions, resizing = '' } = claim;
  if (compareSizes(capacity, to) >= 0) return { state: 'done' };
  const said = conditions.filter(({ status }) => status === 'True');
  const error = said.find(({ type }) => ERRORS.includes(type));
  const words = error === undefined ? '' : `: ${error.message || error.reason || error.type}`;
  if (INFEASIBLE.test(resizing))
    return { state: 'failed', text: `claim ${claim.name} cannot become ${to}: its driver says ${resizing}${words}` };
  if (said.some(({ type }) => type === FILE_SYSTEM))
    return mounted
      ? { state: 'waiting', text: `claim ${claim.name}: ${FILE_SYSTEM}, its node makes the file system larger${words}` }
      : { state: 'unmounted' };
  const step =
    resizing === '' ? (said.some(({ type }) => type === 'Resizing') ? 'Resizing' : 'not begun yet') : resizing;
  return { state: 'waiting', text: `claim ${claim.name} has ${capacity} of ${to}: ${step}${words}` };
}
