/** Processes are identified here as they are in the product, by the same code. */
export * from '../../src/process/identity.ts';
