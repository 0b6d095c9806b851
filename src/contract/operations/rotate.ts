import type { OperationInput } from './deploy.ts';
import type { RotateSelection } from './secret-name.ts';

/** Generated values are replaced by new ones, while both are good for as long as somebody may still use the old one. */
export interface RotateInput extends OperationInput, RotateSelection {}
