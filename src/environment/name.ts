/** Names of environments: they become labels, workflow ids, folders and the name of a kind cluster. */
import { isLabel } from './fields/formats/kubernetes-names.ts';

/** `ananta-<name>` is the name of a kind cluster, which may have 50 characters with what kind puts behind it. */
const LONGEST = 40;
/** Beside the folders of environments in the state folder. */
const RESERVED = ['cache'];

/** @returns what is wrong with the name of an environment; undefined for a good one */
export function nameProblem(name: string): string | undefined {
  if (RESERVED.includes(name))
    return `an environment cannot be called "${name}": the state folder keeps something else under that name. Rename the file`;
  if (name.length > LONGEST)
    return `the name has ${name.length} characters, at most ${LONGEST} are possible: it becomes part of labels and ids. Rename the file`;
  if (isLabel(name)) return undefined;
  return 'an environment is named with small letters, digits and dashes, first and last a letter or a digit: the name becomes a label in Kubernetes. Rename the file';
}
