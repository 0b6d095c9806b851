/** The two messages of grpc.health.v1 that a check needs, by hand: each has one field, which is not worth a library. */
export const SERVING = 1;
export const NOT_SERVING = 2;

/** HealthCheckResponse { status = 1: enum } in a gRPC frame. */
export function healthAnswer(status: number): Buffer {
  return frame(Buffer.from([0x08, status]));
}

/** The service that a framed HealthCheckRequest { service = 1: string } asks for; '' for the server as a whole. */
export function healthService(request: Buffer): string {
  const message = request.subarray(5);
  return message[0] === 0x0a ? message.toString('utf8', 2, 2 + (message[1] ?? 0)) : '';
}

function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
