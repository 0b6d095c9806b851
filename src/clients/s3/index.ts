export { type Bucket, type BucketConnection, openBucket } from './client.ts';
export { BucketError } from './errors.ts';
