/** Signal, update and query names with their argument types. Workflow-safe: imports nothing of Temporal's client. */
export const SIGNALS = {
  /** child → parent: any number of ServiceProgress, in order */
  serviceProgress: 'serviceProgress',
  /** parent → child: DependencySettled */
  dependencySettled: 'dependencySettled',
  /** operation → child: StopPhase */
  stopPhase: 'stopPhase',
  /** anybody → operation: Supersede */
  supersede: 'supersede',
  /** anybody → operation: SteerRequest, as the update of that name; for whoever can send no update */
  steer: 'steer',
  /** operation → child: PhaseSteering */
  steerPhase: 'steerPhase',
} as const;

export const UPDATES = {
  /** anybody → operation that waits for the end of a freeze: FreezeOverride */
  overrideFreeze: 'overrideFreeze',
  /** anybody → operation that waits at a gate: DecideRequest, answered with a DecideAnswer */
  decide: 'decide',
  /** who started an operation → it: IdentifyRequest */
  identify: 'identify',
  /** anybody → queue: QueueRequest, answered with a QueueAnswer when it is decided */
  enqueue: 'enqueue',
  /** anybody → operation: SteerRequest, answered at once with a SteerAnswer or refused */
  steer: 'steer',
} as const;

export const QUERIES = {
  /** DeploymentView */
  rings: 'rings',
  deployment: 'deployment',
} as const;
