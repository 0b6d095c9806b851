export interface RingsOptions {
  image?: Record<string, string>;
  confirm?: string[];
  detach?: true;
  json?: true;
}
