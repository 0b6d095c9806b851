/** Typed search attributes: findable in the Temporal UI. They never hold secrets. */
import { defineSearchAttributeKey } from '@temporalio/common';

export const SEARCH_ATTRIBUTES = {
  environment: defineSearchAttributeKey('AnantaEnvironment', 'KEYWORD'),
  phase: defineSearchAttributeKey('AnantaPhase', 'KEYWORD'),
  result: defineSearchAttributeKey('AnantaResult', 'KEYWORD'),
  plan: defineSearchAttributeKey('AnantaPlan', 'KEYWORD'),
  /** One of OPERATIONS, `drift` or `backup`. */
  operation: defineSearchAttributeKey('AnantaOperation', 'KEYWORD'),
  /** On drift runs: `clean`, `drifted`, `repaired`, `skipped`, `failed`. */
  drift: defineSearchAttributeKey('AnantaDrift', 'KEYWORD'),
} as const;

export { SEARCH_ATTRIBUTE_TYPES } from './search-attribute-types.ts';
