/** Signal and query names with their argument types. Workflow-safe: imports nothing of Temporal's client. */
export const SIGNALS = {
  /** child → parent: ServiceProgress */
  serviceProgress: 'serviceProgress',
  /** parent → child: DependencySettled */
  dependencySettled: 'dependencySettled',
} as const;

export const QUERIES = {
  /** DeploymentView */
  deployment: 'deployment',
} as const;
