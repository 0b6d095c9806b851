/** Where `--env` is not given. */
export const DEFAULT_ENVIRONMENT = 'sandbox';
