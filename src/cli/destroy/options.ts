export interface DestroyOptions {
  env: string;
  deleteData?: true;
  confirm?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
