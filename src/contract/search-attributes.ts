/** Typed search attributes: findable in the Temporal UI. They never hold secrets. */
import { defineSearchAttributeKey } from '@temporalio/common';

export const SEARCH_ATTRIBUTES = {
  environment: defineSearchAttributeKey('AnantaEnvironment', 'KEYWORD'),
  phase: defineSearchAttributeKey('AnantaPhase', 'KEYWORD'),
  result: defineSearchAttributeKey('AnantaResult', 'KEYWORD'),
  plan: defineSearchAttributeKey('AnantaPlan', 'KEYWORD'),
} as const;

/** For setting them up on an engine: name to Temporal's type name. */
export const SEARCH_ATTRIBUTE_TYPES: Record<string, 'Keyword'> = {
  AnantaEnvironment: 'Keyword',
  AnantaPhase: 'Keyword',
  AnantaResult: 'Keyword',
  AnantaPlan: 'Keyword',
};
