/** Services, Ingresses and network policies. */
import { BlockList, isIP } from 'node:net';
import { isQualifiedName, isSubdomain } from '../../../environment/fields/formats/kubernetes-names.ts';
import { isTree } from '../../../environment/files/merge.ts';
import { labelProblems, nameProblem } from './metadata.ts';
import { portNameProblem, portProblem, targetProblem } from './pods.ts';
import { isSet, nameOf, repeated, type Rule, textOr, textsOf, treesOf } from './rule.ts';

const service: Rule = ({ ports, type, clusterIP, externalName, selector }, add) => {
  labelProblems(selector, add, 'selector');
  const all = treesOf(ports);
  if (type === 'ExternalName') {
    if (typeof externalName !== 'string' || !isSubdomain(externalName.replace(/\.$/, '')))
      add('externalName', 'has to be a host name');
    return;
  }
  if (all.length === 0 && clusterIP !== 'None') add('ports', 'has to have one at least');
  if (all.length > 1)
    for (const [at, port] of all.entries())
      if (nameOf(port) === '') add(`ports[${at}].name`, 'is missing: with several ports each has a name');
  for (const name of repeated(all.map(nameOf).filter((each) => each !== '')))
    add(`ports[${name}]`, 'is the name of two ports');
  const nodePorts = all.flatMap(({ nodePort, protocol }) =>
    isSet(nodePort) ? [`${String(nodePort)}/${textOr(protocol, 'TCP')}`] : [],
  );
  for (const port of repeated(nodePorts)) add('ports', `two have the nodePort ${port}`);
  if ((type === undefined || type === 'ClusterIP') && nodePorts.length > 0)
    add('ports', 'may have no nodePort where type is ClusterIP');
  if (clusterIP === 'None' && type !== undefined && type !== 'ClusterIP')
    add('clusterIP', `may not be None where type is ${textOr(type, '')}`);
  else if (typeof clusterIP === 'string' && !['', 'None'].includes(clusterIP) && isIP(clusterIP) === 0)
    add('clusterIP', `${clusterIP} is no address`);
};

const servicePort: Rule = ({ name, port, targetPort, nodePort, appProtocol }, add) => {
  if (typeof appProtocol === 'string' && !isQualifiedName(appProtocol))
    add('appProtocol', `${JSON.stringify(appProtocol)} is no name of a protocol`);
  const problem = portProblem(port);
  if (problem !== undefined) add('port', problem);
  const target = targetPort === '' ? undefined : targetProblem(targetPort);
  if (target !== undefined) add('targetPort', target);
  if (isSet(nodePort) && nodePort !== 0 && portProblem(nodePort) !== undefined)
    add('nodePort', portProblem(nodePort) ?? '');
  if (typeof name === 'string' && name !== '' && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))
    add('name', `${JSON.stringify(name)} is no name of a port`);
};

const ingress: Rule = ({ rules, defaultBackend, tls, ingressClassName }, add) => {
  if ((!Array.isArray(rules) || rules.length === 0) && !isSet(defaultBackend))
    add('', 'has to have rules or a defaultBackend');
  for (const host of treesOf(tls).flatMap(({ hosts }) => textsOf(hosts)))
    if (!isHost(host)) add('tls', `${JSON.stringify(host)} is no host name`);
  if (typeof ingressClassName === 'string' && !isSubdomain(ingressClassName))
    add('ingressClassName', `${JSON.stringify(ingressClassName)} is no name of a class`);
};

const ingressRule: Rule = ({ host }, add) => {
  if (typeof host === 'string' && host !== '' && !isHost(host)) add('host', `${JSON.stringify(host)} is no host name`);
};

function isHost(text: string): boolean {
  return isIP(text) === 0 && isSubdomain(text.replace(/^\*\./, ''));
}

const httpPaths: Rule = ({ paths }, add) => {
  if (!Array.isArray(paths) || paths.length === 0) add('paths', 'has to have one at least');
};

const ingressTls: Rule = ({ secretName }, add) => {
  if (typeof secretName === 'string' && secretName !== '' && !isSubdomain(secretName))
    add('secretName', `${JSON.stringify(secretName.slice(0, 80))} is no name of a Secret`);
};

const ingressPath: Rule = ({ path, pathType }, add) => {
  if (pathType === 'ImplementationSpecific' && !isSet(path)) return;
  if (typeof path !== 'string' || !path.startsWith('/')) add('path', 'has to begin with "/"');
  else if (pathType !== 'ImplementationSpecific' && /\/\/|\/\.\.?(\/|$)|%2f/i.test(path))
    add('path', `${JSON.stringify(path)} may hold no "//", "/./", "/../" and "%2f"`);
};

const ingressBackend: Rule = ({ service: of, resource }, add) => {
  if (isSet(of) === isSet(resource)) add('', 'has to have one of service and resource');
  const named = isTree(of) ? nameProblem('Service', of['name']) : undefined;
  if (named !== undefined) add('service.name', named);
  const port = isTree(of) && isTree(of['port']) ? of['port'] : {};
  if (isTree(of) && isSet(port['name']) === isSet(port['number']))
    add('service.port', 'has to have one of name and number');
  const problem = portProblem(port['number']) ?? portNameProblem(port['name']);
  if (problem !== undefined) add('service.port', problem);
};

const ipBlock: Rule = ({ cidr, except }, add) => {
  for (const range of [cidr, ...textsOf(except)])
    if (typeof range === 'string' && !isRange(range)) add('cidr', `${JSON.stringify(range)} is no range of addresses`);
};

function isRange(text: string): boolean {
  const [net = '', prefix = ''] = text.split('/');
  const family = isIP(net);
  if (family === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128)) return false;
  new BlockList().addSubnet(net, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  return true;
}

const peer: Rule = (value, add) => {
  if (Object.values(value).every((each) => !isSet(each))) add('', 'has to name pods, namespaces or addresses');
  else if (isSet(value['ipBlock']) && (isSet(value['podSelector']) || isSet(value['namespaceSelector'])))
    add('ipBlock', 'may not be there beside selectors');
};

const policyPort: Rule = ({ port, endPort }, add) => {
  const problem = targetProblem(port);
  if (problem !== undefined) add('port', problem);
  if (isSet(endPort) && typeof port !== 'number') add('endPort', 'needs a port that is a number');
  if (typeof endPort === 'number' && typeof port === 'number' && endPort < port)
    add('endPort', `${endPort} is less than ${port}`);
};

const policy: Rule = ({ policyTypes }, add) => {
  if (Array.isArray(policyTypes) && policyTypes.some((one) => one === '' || one === null))
    add('policyTypes', '"" is none of Ingress, Egress');
};

export const NETWORK_RULES: Record<string, Rule> = {
  'networking.v1.NetworkPolicySpec': policy,
  'core.v1.ServiceSpec': service,
  'core.v1.ServicePort': servicePort,
  'networking.v1.IngressSpec': ingress,
  'networking.v1.IngressRule': ingressRule,
  'networking.v1.HTTPIngressRuleValue': httpPaths,
  'networking.v1.IngressTLS': ingressTls,
  'networking.v1.HTTPIngressPath': ingressPath,
  'networking.v1.IngressBackend': ingressBackend,
  'networking.v1.IPBlock': ipBlock,
  'networking.v1.NetworkPolicyPeer': peer,
  'networking.v1.NetworkPolicyPort': policyPort,
};
