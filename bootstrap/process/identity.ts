/** Processes are told apart here as they are in the product: one piece of code for both. */
export * from '../../src/process/identity.ts';
