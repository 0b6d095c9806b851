/** Checks of the verification stage: what they name has to exist. */
import { checkInstance } from '../../contract/names.ts';
import { type PlacedProblem, unknown } from '../problems.ts';
import type { Catalog, Check, JobCheck, Service } from '../schema.ts';
import { secretUses } from '../secret-uses.ts';

/** Longest value of a label, and longest name of a Job's pod before its own ending. */
const LONGEST_INSTANCE = 50;

export function checkChecks(catalog: Catalog): PlacedProblem[] {
  return [...catalog.services.flatMap((service) => ofService(catalog, service)), ...ofPrometheus(catalog)];
}

function ofService(catalog: Catalog, service: Service): PlacedProblem[] {
  const names = service.checks.map(({ name }) => name);
  return service.checks.flatMap((check, index): PlacedProblem[] => {
    const report = (field: string, message: string): PlacedProblem => ({
      section: 'services',
      module: service.module,
      field: `${service.name}.checks.${check.name}${field === '' ? '' : `.${field}`}`,
      message,
    });
    return [
      ...(names.indexOf(check.name) === index ? [] : [report('name', 'stands here twice')]),
      ...ofKind(catalog, service, check).map(({ field, message }) => report(field, message)),
    ];
  });
}

function ofKind(catalog: Catalog, service: Service, check: Check): { field: string; message: string }[] {
  if (check.kind === 'http') {
    if (service.kind === 'job') return [{ field: 'kind', message: 'a Job that has completed answers no request' }];
    return service.ports.some(({ containerPort }) => containerPort === check.port)
      ? []
      : [{ field: 'port', message: `no port of the service leads to container port ${check.port}` }];
  }
  if (check.kind === 'promql') return [];
  const instance = checkInstance(service.name, check.name);
  const taken = catalog.services.some(
    ({ name, before, after }) => name === instance || [...before, ...after].some((step) => step.name === instance),
  );
  return [
    ...(instance.length > LONGEST_INSTANCE
      ? [{ field: 'name', message: `its Job would be called ${instance}: at most ${LONGEST_INSTANCE} characters` }]
      : []),
    ...(taken ? [{ field: 'name', message: `its Job would be called ${instance}, as a release is` }] : []),
    ...ofSecrets(catalog, service, check),
  ];
}

function ofSecrets(
  { services, secretPaths }: Catalog,
  { namespace }: Service,
  { env, secretEnv = {} }: JobCheck,
): { field: string; message: string }[] {
  const paths = secretPaths.map(({ path }) => path);
  return Object.entries(secretEnv).flatMap(([name, ref]): { field: string; message: string }[] => {
    const field = `secretEnv.${name}`;
    if (name in env) return [{ field, message: 'stands in env, too' }];
    if ('secret' in ref) return [];
    const declared = secretPaths.find(({ path }) => path === ref.path);
    if (declared === undefined) return [{ field, message: unknown('secret path', ref.path, paths) }];
    if (!declared.keys.some((key) => key.name === ref.key))
      return [{ field, message: `${ref.path} has no key "${ref.key}"` }];
    const isThere = services
      .filter((row) => row.namespace === namespace)
      .flatMap(secretUses)
      .some(
        ({ use: { delivery, path, keys } }) =>
          delivery === 'kubernetes' && path === ref.path && (keys === undefined || keys.includes(ref.key)),
      );
    return isThere
      ? []
      : [{ field, message: `no service in ${namespace} gets "${ref.key}" of ${ref.path} as a Kubernetes Secret` }];
  });
}

function ofPrometheus({ prometheus, services }: Catalog): PlacedProblem[] {
  if (prometheus === undefined) return [];
  const names = services.map(({ name }) => name);
  const found = services.find(({ name }) => name === prometheus.service);
  if (found === undefined)
    return [
      {
        section: 'prometheus',
        field: 'service',
        message: unknown('service', prometheus.service, names),
      },
    ];
  return found.ports.some(({ containerPort }) => containerPort === prometheus.port)
    ? []
    : [
        {
          section: 'prometheus',
          field: 'port',
          message: `no port of ${found.name} leads to container port ${prometheus.port}`,
        },
      ];
}
