/** Which secrets a service reads, and where that is said. */
import type { SecretUse, Service } from './schema.ts';

/** Of the service itself and of its releases before and after it; each with the field that says so. */
export function secretUses(service: Service): { field: string; use: SecretUse }[] {
  const steps = [...service.before, ...service.after].flatMap((step) =>
    step.kind === 'release' ? step.secrets.map((use) => ({ field: `${step.name}.secrets`, use })) : [],
  );
  return [...service.secrets.map((use) => ({ field: 'secrets', use })), ...steps];
}
