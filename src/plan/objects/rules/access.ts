/** Roles and whom they are given to. */
import { isSubdomain } from '../../../environment/fields/formats/kubernetes-names.ts';
import { nameProblem } from './metadata.ts';
import { isSet, nameOf, type Rule, textsOf, treesOf } from './rule.ts';

const GROUP = 'rbac.authorization.k8s.io';
const SUBJECTS = ['ServiceAccount', 'User', 'Group'];
const ROLES = ['Role', 'ClusterRole'];

const rule: Rule = ({ verbs, apiGroups, resources, nonResourceURLs }, add) => {
  if (textsOf(verbs).length === 0) add('verbs', 'has to have one at least');
  const paths = textsOf(nonResourceURLs);
  if (paths.length > 0 && (textsOf(apiGroups).length > 0 || textsOf(resources).length > 0))
    add('nonResourceURLs', 'may not be there beside resources');
  if (paths.length > 0) return;
  if (textsOf(apiGroups).length === 0) add('apiGroups', 'has to have one at least: "" for the core group');
  if (textsOf(resources).length === 0) add('resources', 'has to have one at least');
};

const reference: Rule = (value, add) => {
  const { apiGroup, kind } = value;
  if (isSet(apiGroup) && apiGroup !== '' && apiGroup !== GROUP) add('apiGroup', `has to be ${GROUP}`);
  if (!ROLES.includes(String(kind))) add('kind', `has to be one of ${ROLES.join(', ')}`);
  const named = nameProblem('Role', value['name']);
  if (named !== undefined) add('name', named);
};

/** Within a namespace that of the binding is meant. */
const subject =
  (clusterWide: boolean): Rule =>
  (value, add) => {
    const { kind, apiGroup, namespace } = value;
    if (!SUBJECTS.includes(String(kind))) add('kind', `has to be one of ${SUBJECTS.join(', ')}`);
    else if (kind === 'ServiceAccount') {
      if (!isSubdomain(nameOf(value))) add('name', `${JSON.stringify(nameOf(value))} is no name of a ServiceAccount`);
      if (clusterWide && (!isSet(namespace) || namespace === '')) add('namespace', 'is missing');
      if (isSet(apiGroup) && apiGroup !== '') add('apiGroup', 'may not be there with a ServiceAccount');
    } else if (nameOf(value) === '') add('name', 'is missing');
  };

const bound =
  (clusterWide: boolean): Rule =>
  ({ subjects, roleRef }, add) => {
    for (const [at, one] of treesOf(subjects).entries())
      subject(clusterWide)(one, (below, message) => {
        add(`subjects[${at}].${below}`, message);
      });
    for (const one of treesOf([roleRef]))
      reference(one, (below, message) => {
        add(`roleRef.${below}`, message);
      });
  };

export const ACCESS_RULES: Record<string, Rule> = {
  'rbac.v1.PolicyRule': rule,
  'rbac.v1.RoleBinding': bound(false),
  'rbac.v1.ClusterRoleBinding': bound(true),
};
