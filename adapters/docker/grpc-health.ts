/**
 * One call of `grpc.health.v1.Health/Check`, over plain HTTP/2: the message has one string and the
 * answer one number, so a gRPC library would be mostly unused.
 */
import { connect } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { ProbeResult } from './probe-loop.ts';

const SERVING = 1;
const FIELD_1_STRING = 0x0a;
const FIELD_1_NUMBER = 0x08;
/** A frame: not compressed, then the length in 4 bytes. */
const FRAME_HEADER_LENGTH = 5;
/** Longest service name that fits one length byte; longer ones are no names. */
const MAX_SERVICE_LENGTH = 127;

export function askGrpcHealth(
  host: string,
  port: number,
  service: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
    const finish = (settle: () => void): void => {
      settle();
      session.destroy();
    };
    session.on('error', (error: Error) => finish(() => reject(error)));
    signal.addEventListener('abort', () => finish(() => resolve('no answer in time')));
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let grpcStatus: string | undefined;
    const readStatus = (headers: IncomingHttpHeaders): void => {
      const status = headers['grpc-status'];
      if (typeof status === 'string') grpcStatus = status;
    };
    call.on('response', readStatus);
    call.on('trailers', readStatus);
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('error', (error: Error) => finish(() => reject(error)));
    call.on('end', () => finish(() => resolve(readAnswer(grpcStatus, Buffer.concat(chunks)))));
    call.end(checkRequest(service));
  });
}

function checkRequest(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, MAX_SERVICE_LENGTH);
  const message = Buffer.concat([Buffer.from([FIELD_1_STRING, name.length]), name]);
  const header = Buffer.alloc(FRAME_HEADER_LENGTH);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

function readAnswer(grpcStatus: string | undefined, body: Buffer): ProbeResult {
  if (grpcStatus !== '0') return `health check answered with gRPC status ${grpcStatus ?? 'none'}`;
  const message = body.subarray(FRAME_HEADER_LENGTH);
  const status = message[0] === FIELD_1_NUMBER ? (message[1] ?? 0) : 0;
  return status === SERVING ? undefined : `service is not serving: status ${status}`;
}
