/** The engine cannot be used as the environment says: nothing was touched. */
export class EngineAccessError extends Error {
  override name = 'EngineAccessError';
  /** Lines that help. */
  readonly next: string[];
  constructor(message: string, next: string[] = [], cause?: unknown) {
    super(message, { cause });
    this.next = next;
  }
}
