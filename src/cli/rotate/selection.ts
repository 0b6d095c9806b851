/** Which secrets a command is about. */
import type { RotateSelection } from '../../contract/operations/secret-name.ts';

/** @param secret each `PATH` or `PATH:KEY`; none: all */
export function selectionOf({
  secret,
  olderThan,
}: {
  secret?: readonly string[] | undefined;
  olderThan?: number | undefined;
}): RotateSelection {
  const secrets = secret?.map((text) => {
    const [path = '', ...key] = text.split(':');
    return key.length === 0 ? { path } : { path, key: key.join(':') };
  });
  return {
    ...(secrets === undefined ? {} : { secrets }),
    ...(olderThan === undefined ? {} : { olderThanSeconds: olderThan }),
  };
}
