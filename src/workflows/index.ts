export { backup } from './backup.ts';
export { drift } from './drift.ts';
export { nexusOperation } from './nexus/operation.ts';
export { notification } from './notifications/notification.ts';
export { adopt, deploy, destroy, repair, rollback, rotate } from './operation.ts';
export { phase } from './phase.ts';
export { queue } from './queue.ts';
export { rotation } from './rotation.ts';
export { rings } from './rings/rings.ts';
