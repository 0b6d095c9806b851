export interface DestroyOptions {
  env: string;
  plan?: string;
  deleteData?: true;
  confirm?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
