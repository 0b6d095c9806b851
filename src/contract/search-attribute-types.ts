/**
 * For setting the search attributes up on an engine: name to Temporal's type name. Apart, so that it costs no SDK
 * import.
 */
export const SEARCH_ATTRIBUTE_TYPES: Record<string, 'Keyword'> = {
  AnantaEnvironment: 'Keyword',
  AnantaPhase: 'Keyword',
  AnantaResult: 'Keyword',
  AnantaPlan: 'Keyword',
  AnantaOperation: 'Keyword',
  AnantaDrift: 'Keyword',
};
